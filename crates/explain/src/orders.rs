//! Regions that come one after the other in random orders, and what each adds when it comes: what sampled Shapley and Owen
//! values stand on.

use crate::{
    game::{Estimate, Moments, errors},
    hierarchy::Hierarchy,
    random::{Purpose, Random},
};

/// The orders in which regions come.
pub(crate) struct Orders {
    pub(crate) seed: u64,
    pub(crate) players: usize,
    /// Whether every second order is the reverse of the one before.
    pub(crate) antithetic: bool,
    /// Whose halves stay together, at every level; without one every order is as likely as any other.
    pub(crate) tree: Option<Hierarchy>,
}

impl Orders {
    fn order(&self, index: usize) -> Vec<usize> {
        let (drawn, reversed) = if self.antithetic { (index / 2, index % 2 == 1) } else { (index, false) };
        let mut random = Random::new(self.seed, Purpose::Masks, drawn as u32);
        let mut order = match &self.tree {
            Some(tree) => tree.order(|| random.chance(0.5)),
            None => random.permutation(self.players),
        };
        if reversed {
            order.reverse();
        }
        order
    }

    /// Which order a coalition belongs to, and after how many of its regions.
    fn place(&self, index: usize) -> (usize, usize) {
        (index / (self.players - 1), index % (self.players - 1) + 1)
    }

    pub(crate) fn coalition(&self, index: usize) -> Vec<f32> {
        let (order, present) = self.place(index);
        let mut members = vec![0.0; self.players];
        self.order(order)[..present].iter().for_each(|player| members[*player] = 1.0);
        members
    }
}

/// What regions add in the orders so far.
pub(crate) struct Added<'a> {
    orders: &'a Orders,
    whole: f64,
    empty: f64,
    /// What the order at hand is worth so far.
    last: f64,
    /// What each region adds in the order at hand, and in its reverse before it.
    added: Vec<f64>,
    moments: Vec<Moments>,
}

impl Added<'_> {
    pub(crate) fn new(orders: &Orders, whole: f64, empty: f64) -> Added<'_> {
        let (added, mut moments) = (vec![0.0; orders.players], vec![Moments::default(); orders.players]);
        if let [only] = &mut moments[..] {
            // Then there is a single order, of which no coalition is left to run.
            only.add(whole - empty);
        }
        Added { orders, whole, empty, last: empty, added, moments }
    }
}

impl Estimate for Added<'_> {
    fn add(&mut self, index: usize, _: &[f32], worth: f64) {
        let (number, present) = self.orders.place(index);
        let order = self.orders.order(number);
        self.added[order[present - 1]] += worth - self.last;
        self.last = worth;
        if present + 1 < order.len() {
            return;
        }
        self.added[order[present]] += self.whole - worth;
        self.last = self.empty;
        // An order and its reverse depend on each other: their mean is one observation.
        let (is_last_of_pair, size) = if self.orders.antithetic { (number % 2 == 1, 2.0) } else { (true, 1.0) };
        if is_last_of_pair {
            self.moments.iter_mut().zip(&mut self.added).for_each(|(moments, added)| {
                moments.add(*added / size);
                *added = 0.0;
            });
        }
    }

    fn values(&self) -> Vec<f64> {
        // An order without its reverse yet counts half of a pair.
        let single = self.orders.antithetic && self.last == self.empty && self.added.iter().any(|added| *added != 0.0);
        let pairs = self.moments.first().map_or(0, |moments| moments.count) as f64;
        let both = |(moments, added): (&Moments, &f64)| {
            if single { (moments.mean * 2.0 * pairs + added) / (2.0 * pairs + 1.0) } else { moments.mean }
        };
        self.moments.iter().zip(&self.added).map(both).collect()
    }

    fn errors(&self) -> Option<Vec<f64>> {
        errors(&self.moments)
    }

    fn is_whole(&self, count: usize) -> bool {
        count >= self.orders.players - 1
    }
}
