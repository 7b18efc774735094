//! The order of a transaction: installs so that each comes after what it requires, then erasures in the reverse sense.
//!
//! Source: rpm, `lib/order.cc`. Relations within the transaction make a graph; its strongly connected components are
//! taken apart where a scriptlet is hurt least; what is free goes by how many wait for it.

use std::collections::{BTreeMap, VecDeque};

use pkg::Relation;
use rpm::{Dependency, DependencyKind, Header, Sense, Tag};
use solve::Rich;

/// An element of a transaction, as ordering sees it.
pub(crate) struct Member<'a> {
    pub(crate) header: &'a Header,
    pub(crate) is_erased: bool,
}

/// The order in which packages are installed: indexes into `headers`.
///
/// Each package comes after those that it requires. Where packages require each other, requirements of `%pre` and
/// `%post` weigh more than others. What rpm leaves to the order of its command line goes by name here, so that the order
/// depends on the packages alone.
pub fn order(headers: &[&Header]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..headers.len()).collect();
    sorted.sort_by_cached_key(|index| headers[*index].nevra().to_string());
    let members: Vec<Member<'_>> =
        sorted.iter().map(|index| Member { header: headers[*index], is_erased: false }).collect();
    order_members(&members).into_iter().map(|index| sorted[index]).collect()
}

/// The order of a whole transaction whose members are in the order in which they were asked for: rpm's to the letter.
pub(crate) fn order_members(members: &[Member<'_>]) -> Vec<usize> {
    let mut graph = Graph::of(members);
    graph.find_components();
    let mut order = Vec::with_capacity(members.len());
    for is_erased in [false, true] {
        let mut queue = VecDeque::new();
        for (index, member) in members.iter().enumerate() {
            if member.is_erased == is_erased && graph.nodes[index].waits_for == 0 {
                graph.enqueue(index, &mut queue);
            }
        }
        for component in 0..graph.components.len() {
            let first = graph.components[component].members[0];
            if graph.components[component].waits_for == 0 && members[first].is_erased == is_erased {
                graph.enqueue(first, &mut queue);
            }
        }
        while let Some(next) = queue.pop_front() {
            match graph.nodes[next].place {
                Place::In(component) => graph.collect_component(component, &mut queue, &mut order),
                _ => graph.collect(next, &mut queue, None, &mut order),
            }
        }
    }
    order
}

/// Colour of files that is preferred where 32 and 64 bits meet: 64 (`%_prefer_color`).
const PREFERRED_COLOR: u32 = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not looked at yet.
    New,
    /// On the stack of the search, at this depth.
    Open(usize),
    /// Waits for nothing that waits for it.
    Alone,
    /// In a component.
    In(usize),
    /// Has its place in the order.
    Done,
}

struct Node {
    place: Place,
    low: usize,
    /// How many relations it still waits for.
    waits_for: usize,
    /// How many relations wait for it.
    wanted: usize,
    /// Who waits for it, newest relation last, and whether a scriptlet does.
    waiting: Vec<(usize, bool)>,
    /// What it waits for, likewise.
    needs: Vec<(usize, bool)>,
    color: u32,
    is_erased: bool,
    distance: usize,
}

struct Component {
    members: Vec<usize>,
    waits_for: usize,
}

struct Graph {
    nodes: Vec<Node>,
    components: Vec<Component>,
}

impl Graph {
    fn of(members: &[Member<'_>]) -> Graph {
        let node = |member: &Member<'_>| Node {
            place: Place::New,
            low: 0,
            waits_for: 0,
            wanted: 0,
            waiting: Vec::new(),
            needs: Vec::new(),
            color: member.header.u32s(Tag::FILECOLORS).into_iter().fold(0, |all, color| all | color & 15),
            is_erased: member.is_erased,
            distance: 0,
        };
        let mut graph = Graph { nodes: members.iter().map(node).collect(), components: Vec::new() };
        let (added, erased) = (Providers::of(members, false), Providers::of(members, true));
        for (index, member) in members.iter().enumerate() {
            let providers = if member.is_erased { &erased } else { &added };
            for kind in [
                DependencyKind::Requires,
                DependencyKind::Recommends,
                DependencyKind::Suggests,
                DependencyKind::Supplements,
                DependencyKind::Enhances,
                DependencyKind::Order,
            ] {
                for dependency in member.header.dependencies(kind) {
                    if !is_unordered(dependency.sense) {
                        graph.relate(index, kind, &dependency, providers);
                    }
                }
            }
        }
        graph
    }

    fn relate(&mut self, index: usize, kind: DependencyKind, dependency: &Dependency, providers: &Providers) {
        if !dependency.relation.is_rich() {
            if let Some(provider) = providers.first(&dependency.relation).filter(|provider| *provider != index) {
                self.add(index, provider, kind, dependency.sense);
            }
            return;
        }
        if let Ok(rich) = Rich::parse(&dependency.relation.name) {
            for relation in ordering_relations(&rich) {
                let part = Dependency { relation: relation.clone(), sense: dependency.sense };
                self.relate(index, kind, &part, providers);
            }
        }
    }

    /// Notes that `index` has a relation to `provider`.
    fn add(&mut self, index: usize, provider: usize, kind: DependencyKind, sense: Sense) {
        let is_erased = self.nodes[index].is_erased;
        let is_weak = kind != DependencyKind::Requires || sense.has(Sense::MISSINGOK);
        let reversed = matches!(kind, DependencyKind::Supplements | DependencyKind::Enhances) != is_erased;
        let matters = if is_erased {
            any(sense, &[Sense::SCRIPT_PREUN, Sense::SCRIPT_POSTUN])
        } else {
            any(
                sense,
                &[
                    Sense::SCRIPT_PRE,
                    Sense::SCRIPT_POST,
                    Sense::RPMLIB,
                    Sense::KEYRING,
                    Sense::PRETRANS,
                    Sense::POSTTRANS,
                ],
            )
        };
        let is_hard = !is_weak && (matters || is_legacy(sense));
        let (waiter, needed) = if reversed { (provider, index) } else { (index, provider) };
        // Relations of one package come together, so that only the newest can be to the same partner. Of reversed ones rpm
        // looks at the other direction, which takes two that require each other apart.
        if reversed {
            if let Some((last, hard)) = self.nodes[needed].needs.last_mut().filter(|(last, _)| *last == waiter) {
                *hard |= is_hard;
                let last = *last;
                mark_hard(&mut self.nodes[last].waiting, needed, is_hard);
                return;
            }
        } else if let Some((last, hard)) = self.nodes[needed].waiting.last_mut().filter(|(last, _)| *last == waiter) {
            *hard |= is_hard;
            let last = *last;
            mark_hard(&mut self.nodes[last].needs, needed, is_hard);
            return;
        }
        self.nodes[waiter].waits_for += 1;
        self.nodes[waiter].needs.push((needed, is_hard));
        self.nodes[needed].wanted += 1;
        self.nodes[needed].waiting.push((waiter, is_hard));
    }

    /// Tarjan's search, without recursion: a chain of requirements can be as long as the transaction.
    fn find_components(&mut self) {
        let mut stack: Vec<usize> = Vec::new();
        let mut depth = 0;
        for start in 0..self.nodes.len() {
            if self.nodes[start].place != Place::New {
                continue;
            }
            let mut calls: Vec<(usize, usize)> = Vec::new();
            self.open(start, &mut depth, &mut stack, &mut calls);
            while let Some((index, step)) = calls.pop() {
                // Newest relation first, as rpm's lists are.
                let count = self.nodes[index].waiting.len();
                if step < count {
                    calls.push((index, step + 1));
                    let next = self.nodes[index].waiting[count - 1 - step].0;
                    match self.nodes[next].place {
                        Place::New => self.open(next, &mut depth, &mut stack, &mut calls),
                        Place::Open(at) => self.nodes[index].low = self.nodes[index].low.min(at),
                        _ => {}
                    }
                    continue;
                }
                if self.nodes[index].place == Place::Open(self.nodes[index].low) {
                    self.close(index, &mut stack);
                }
                if let Some((caller, _)) = calls.last() {
                    self.nodes[*caller].low = self.nodes[*caller].low.min(self.nodes[index].low);
                }
            }
        }
    }

    fn open(&mut self, index: usize, depth: &mut usize, stack: &mut Vec<usize>, calls: &mut Vec<(usize, usize)>) {
        *depth += 1;
        self.nodes[index].place = Place::Open(*depth);
        self.nodes[index].low = *depth;
        stack.push(index);
        calls.push((index, 0));
    }

    fn close(&mut self, root: usize, stack: &mut Vec<usize>) {
        let start = stack.iter().rposition(|index| *index == root).unwrap_or_default();
        let members = stack.split_off(start);
        if let [alone] = members[..] {
            self.nodes[alone].place = Place::Alone;
            return;
        }
        let component = Place::In(self.components.len());
        for index in &members {
            self.nodes[*index].place = component;
        }
        let inner = |node: &Node| node.needs.iter().filter(|(other, _)| self.nodes[*other].place == component).count();
        let waits_for = members.iter().map(|index| self.nodes[*index].waits_for - inner(&self.nodes[*index])).sum();
        self.components.push(Component { members, waits_for });
    }

    /// Puts a node into a queue: those that more wait for go first, and of equals the newest.
    fn enqueue(&mut self, index: usize, queue: &mut VecDeque<usize>) {
        let node = &self.nodes[index];
        let goes_last = node.color != 0 && (node.color != PREFERRED_COLOR) != node.is_erased;
        let at = queue.iter().position(|other| {
            let other = &self.nodes[*other];
            !(goes_last && node.color != other.color) && other.wanted <= node.wanted
        });
        queue.insert(at.unwrap_or(queue.len()), index);
    }

    /// Gives `index` its place, and queues what waited for it alone. Within a component, what lies outside of it goes to
    /// the `outer` queue.
    fn collect(
        &mut self,
        index: usize,
        queue: &mut VecDeque<usize>,
        mut outer: Option<&mut VecDeque<usize>>,
        order: &mut Vec<usize>,
    ) {
        order.push(index);
        let own = self.nodes[index].place;
        let waiting: Vec<usize> = self.nodes[index].waiting.iter().rev().map(|(waiter, _)| *waiter).collect();
        for waiter in waiting {
            let place = self.nodes[waiter].place;
            if place == Place::Done || waiter == index {
                continue;
            }
            self.nodes[waiter].waits_for -= 1;
            if self.nodes[waiter].waits_for == 0 {
                match &mut outer {
                    Some(outer) if own != place => self.enqueue(waiter, outer),
                    _ => self.enqueue(waiter, queue),
                }
            }
            if let Place::In(component) = place
                && place != own
            {
                self.components[component].waits_for -= 1;
                if self.components[component].waits_for == 0 {
                    match &mut outer {
                        Some(outer) => self.enqueue(waiter, outer),
                        None => self.enqueue(waiter, queue),
                    }
                }
            }
        }
        self.nodes[index].place = Place::Done;
    }

    fn collect_component(&mut self, component: usize, outer: &mut VecDeque<usize>, order: &mut Vec<usize>) {
        self.measure(component);
        let members = self.components[component].members.clone();
        loop {
            // The one that is furthest from hurting a scriptlet; of equals the last.
            let open = members.iter().filter(|index| self.nodes[**index].place != Place::Done);
            let Some(best) = open.max_by_key(|index| self.nodes[**index].distance).copied() else { return };
            let mut queue = VecDeque::from([best]);
            while let Some(next) = queue.pop_front() {
                self.collect(next, &mut queue, Some(outer), order);
            }
        }
    }

    /// How many relations lie between each member of a component and one whose scriptlets need another member.
    fn measure(&mut self, component: usize) {
        const SELF: usize = usize::MAX / 2;
        let place = Place::In(component);
        let members = self.components[component].members.clone();
        let mut queue = VecDeque::new();
        for index in &members {
            let first = self.nodes[*index]
                .needs
                .iter()
                .rev()
                .find(|(other, hard)| *hard && self.nodes[*other].place == place)
                .map(|(other, _)| *other);
            self.nodes[*index].distance = match first {
                Some(other) if other != *index => {
                    queue.push_back(*index);
                    0
                }
                Some(_) => SELF,
                None => usize::MAX,
            };
        }
        if queue.is_empty() {
            queue.extend(members.iter().filter(|index| self.nodes[**index].distance == SELF));
        }
        while let Some(index) = queue.pop_front() {
            let next_distance = self.nodes[index].distance + 1;
            let needs: Vec<usize> = self.nodes[index].needs.iter().rev().map(|(other, _)| *other).collect();
            for next in needs {
                if self.nodes[next].place == place && self.nodes[next].distance > next_distance {
                    self.nodes[next].distance = next_distance;
                    queue.push_back(next);
                }
            }
        }
    }
}

fn mark_hard(relations: &mut [(usize, bool)], partner: usize, is_hard: bool) {
    for (other, hard) in relations {
        *hard |= is_hard && *other == partner;
    }
}

/// The parts of a rich dependency that order packages: not its conditions.
fn ordering_relations(rich: &Rich) -> Vec<&Relation> {
    match rich {
        Rich::Plain(relation) => vec![relation],
        Rich::And(parts) | Rich::Or(parts) => parts.iter().flat_map(ordering_relations).collect(),
        Rich::With(parts) => parts.first().map(ordering_relations).unwrap_or_default(),
        Rich::Without(parts) => ordering_relations(&parts[0]),
        Rich::If(parts, other) | Rich::Unless(parts, other) => {
            let mut all = ordering_relations(&parts[0]);
            all.extend(other.iter().flat_map(|other| ordering_relations(other)));
            all
        }
    }
}

fn any(sense: Sense, bits: &[Sense]) -> bool {
    bits.iter().any(|bit| sense.has(*bit))
}

/// Requirements that say nothing about the order (`include/rpm/rpmds.h`, `isUnorderedReq`).
fn is_unordered(sense: Sense) -> bool {
    let unordered =
        [Sense::RPMLIB, Sense::CONFIG, Sense::PRETRANS, Sense::POSTTRANS, Sense::SCRIPT_VERIFY, Sense::META];
    let ordered = [Sense::SCRIPT_PRE, Sense::SCRIPT_POST, Sense::SCRIPT_PREUN, Sense::SCRIPT_POSTUN];
    any(sense, &unordered) && !any(sense, &ordered)
}

/// `PreReq` of old packages: a requirement of all scriptlets.
fn is_legacy(sense: Sense) -> bool {
    let others = [
        Sense::INTERP,
        Sense::SCRIPT_PRE,
        Sense::SCRIPT_POST,
        Sense::SCRIPT_PREUN,
        Sense::SCRIPT_POSTUN,
        Sense::SCRIPT_VERIFY,
        Sense::FIND_REQUIRES,
        Sense::RPMLIB,
        Sense::KEYRING,
        Sense::PRETRANS,
        Sense::POSTTRANS,
    ];
    sense.has(Sense::PREREQ) && !any(sense, &others)
}

/// Who provides what, within one kind of element: the first in the order of asking counts.
struct Providers {
    by_name: BTreeMap<String, Vec<(usize, Relation)>>,
    by_path: BTreeMap<String, usize>,
}

impl Providers {
    fn of(members: &[Member<'_>], is_erased: bool) -> Providers {
        let mut providers = Providers { by_name: BTreeMap::new(), by_path: BTreeMap::new() };
        let needs_paths: std::collections::HashSet<String> = members
            .iter()
            .flat_map(|member| member.header.strs(Tag::REQUIRENAME).chain(member.header.strs(Tag::ORDERNAME)))
            .filter(|name| name.contains('/'))
            .flat_map(|name| name.split([' ', '(', ')']).filter(|word| word.starts_with('/')))
            .map(str::to_owned)
            .collect();
        let basenames: std::collections::HashSet<&str> =
            needs_paths.iter().filter_map(|path| path.rsplit('/').next()).collect();
        for (index, member) in members.iter().enumerate().filter(|(_, member)| member.is_erased == is_erased) {
            for provided in member.header.dependencies(DependencyKind::Provides) {
                let name = provided.relation.name.clone();
                providers.by_name.entry(name).or_default().push((index, provided.relation));
            }
            if !member.header.strs(Tag::BASENAMES).any(|name| basenames.contains(name)) {
                continue;
            }
            for path in member.header.file_paths().filter(|path| needs_paths.contains(path)) {
                providers.by_path.entry(path).or_insert(index);
            }
        }
        providers
    }

    fn first(&self, wanted: &Relation) -> Option<usize> {
        if let Some(index) = self.by_path.get(&wanted.name) {
            return Some(*index);
        }
        let named = self.by_name.get(&wanted.name)?;
        named.iter().find(|(_, provided)| wanted.satisfied_by(provided)).map(|(index, _)| *index)
    }
}
