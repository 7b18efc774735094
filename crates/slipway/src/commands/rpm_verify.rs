use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use rpm::policy::{Outcome, Policy, Report, SignatureCheck, Signatures, WeakDigests};
use sign::{KeyRing, VerifyError};

use crate::context::Context;
use crate::explain::Failure;

/// Check signatures and digests of packages
///
/// A package is refused unless it has digests of its header and of its payload that are right, and a good signature by one
/// of the keys. Packages are read to their end, several at once, and take no more memory than their headers. The exit code
/// is 1 when one is refused.
#[derive(Args)]
#[command(after_help = "Example: slipway rpm verify --key RPM-GPG-KEY out/repository/current/packages/*/*.rpm")]
pub(crate) struct Arguments {
    /// Package files.
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
    /// A file of public keys whose signatures are accepted, armoured or binary; may be given several times.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Do not ask for a signature; one by an accepted key must be right all the same.
    #[arg(long)]
    unsigned: bool,
    /// Accept SHA-1 and MD5 where nothing better is there.
    #[arg(long)]
    weak_digests: bool,
    /// Show each digest and signature.
    #[arg(short, long)]
    verbose: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, Failure> {
    let mut keys = KeyRing::new();
    for path in &arguments.keys {
        keys.add(&fs_err::read(path)?)
            .map_err(|error| Failure::usage(format!("`{}` holds no keys: {error}", path.display())))?;
    }
    if keys.keys().is_empty() && !arguments.unsigned {
        let failure = Failure::usage("no key is accepted, so that every package would be refused");
        return Err(failure.hint("name keys with `--key FILE`, or check digests alone with `--unsigned`"));
    }
    let policy = Policy {
        signature: if arguments.unsigned { Signatures::IfAccepted } else { Signatures::Required },
        weak_digests: if arguments.weak_digests { WeakDigests::Accepted } else { WeakDigests::Refused },
    };
    let reports = verify_all(&arguments.packages, &policy, &keys, context);
    let mut is_refused = false;
    let mut answer = Vec::new();
    for (path, report) in arguments.packages.iter().zip(&reports) {
        let refusals = refusals(report);
        is_refused |= !refusals.is_empty();
        if context.ui.json {
            answer.push(in_json(path, report, &refusals));
            continue;
        }
        let verdict = if refusals.is_empty() { "accepted" } else { "refused" };
        context.ui.data(&format!("{}: {verdict}", path.display()));
        refusals.iter().for_each(|why| context.ui.data(&format!("    {why}")));
        if let (Ok(report), true) = (report, arguments.verbose) {
            for finding in &report.findings {
                context.ui.data(&format!("    {}: {}", finding.what, words(&finding.outcome)));
            }
        }
    }
    if context.ui.json {
        context.ui.json(&answer);
    }
    Ok(if is_refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

type Verified = Result<Report, String>;

/// Each package's report, in the order of asking.
fn verify_all(packages: &[PathBuf], policy: &Policy, keys: &KeyRing, context: &Context) -> Vec<Verified> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((index, path)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            packages.get(index).map(|path| (index, path))
        } {
            done.push((index, verify(path, policy, keys)));
        }
        done
    };
    let workers = context.host.cores().clamp(1, packages.len().max(1));
    let mut all: Vec<(usize, Verified)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for thread in threads {
            match thread.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, report)| report).collect()
}

fn verify(path: &Path, policy: &Policy, keys: &KeyRing) -> Verified {
    let check = |packet: &[u8], bytes: &[u8]| match keys.verify(packet, bytes) {
        Ok(key) => SignatureCheck::Good(key.fingerprint()),
        Err(error @ VerifyError::UnknownKey { .. }) => SignatureCheck::NoKey(error.to_string()),
        Err(error) => SignatureCheck::Bad(error.to_string()),
    };
    let mut file = fs_err::File::open(path).map_err(|error| error.to_string())?;
    rpm::policy::verify(&mut file, policy, &check).map_err(|error| error.to_string())
}

fn refusals(report: &Verified) -> Vec<String> {
    match report {
        Ok(report) => report.refusals.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.clone()],
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Good(None) => "right".to_owned(),
        Outcome::Good(Some(key)) => format!("good, by {key}"),
        Outcome::Bad(why) => format!("wrong: {why}"),
        Outcome::NoKey(why) => format!("not accepted: {why}"),
        Outcome::Unchecked(why) => format!("not compared: {why}"),
    }
}

fn in_json(path: &Path, report: &Verified, refusals: &[String]) -> serde_json::Value {
    let findings = report.as_ref().map(|report| {
        let finding = |finding: &rpm::policy::Finding| {
            serde_json::json!({
                "what": finding.what, "good": matches!(finding.outcome, Outcome::Good(_)), "outcome": words(&finding.outcome),
            })
        };
        report.findings.iter().map(finding).collect::<Vec<_>>()
    });
    serde_json::json!({
        "path": path,
        "package": report.as_ref().ok().map(|report| report.package.nevra().to_string()),
        "accepted": refusals.is_empty(),
        "refusals": refusals,
        "findings": findings.unwrap_or_default(),
    })
}
