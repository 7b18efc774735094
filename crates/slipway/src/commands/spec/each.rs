use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use spec::Evaluator;

use crate::context::Context;
use crate::explain::Failure;
use crate::ui::Steps;

/// Lua and nested macros go deeper than a thread's usual stack.
const STACK: usize = 16 << 20;

/// Answers that may wait for a slower one before them.
const WAITING: usize = 256;

/// Does the same for every item, several at once, and hands the results to `take` in the items' order. Each thread has an
/// evaluator of its own.
pub(super) fn each<I: Sync, T: Send>(
    items: &[I],
    what: &str,
    context: &Context,
    work: impl Fn(&I, &mut Evaluator) -> T + Sync,
    mut take: impl FnMut(T),
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let threads = context.host.cores().clamp(1, items.len().max(1));
    let steps = Steps::new(&context.ui);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let mut evaluator = Evaluator::default();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    if sender.send((index, work(item, &mut evaluator))).is_err() {
                        break;
                    }
                }
            })?;
        }
        drop(sender);
        let (mut due, mut waiting) = (0, BTreeMap::new());
        for (done, (index, result)) in receiver.into_iter().enumerate() {
            if done % 64 == 0 {
                steps.say(&format!("{what}: {done} of {}", items.len()));
            }
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                take(result);
                due += 1;
            }
        }
        // A thread that did not come to its end sent nothing.
        match due == items.len() {
            true => Ok(()),
            false => {
                Err(Failure::work(format!("only {due} of {} specs were looked at: a thread ended early", items.len())))
            }
        }
    })
}
