//! Regions in a tree: all of them, halved again and again across the longer side, down to single ones.

/// A binary tree over players 0, 1 ...
pub(crate) struct Hierarchy {
    /// The first is the root.
    nodes: Vec<Node>,
}

/// Players that belong together, and the nodes of their two halves; a single player has none.
struct Node {
    players: Vec<usize>,
    halves: Option<[usize; 2]>,
}

impl Hierarchy {
    /// The tree of players at these rows and columns. A part is cut across its middle, as SHAP cuts pictures: above and below
    /// where it is at least as high as wide, else left and right. Players at one place are halved in their order.
    pub(crate) fn of(centres: &[[f64; 2]]) -> Hierarchy {
        let mut nodes = vec![Node { players: (0..centres.len()).collect(), halves: None }];
        let mut at = 0;
        while at < nodes.len() {
            let players = &nodes[at].players;
            if players.len() > 1 {
                let [first, second] = halves(players, centres);
                nodes[at].halves = Some([nodes.len(), nodes.len() + 1]);
                nodes.extend([first, second].map(|players| Node { players, halves: None }));
            }
            at += 1;
        }
        Hierarchy { nodes }
    }

    /// The players below a node.
    pub(crate) fn players(&self, node: usize) -> &[usize] {
        &self.nodes[node].players
    }

    /// The halves of a node.
    pub(crate) fn halves(&self, node: usize) -> Option<[usize; 2]> {
        self.nodes[node].halves
    }

    /// The players in an order in which every half stays together; `swaps` says of each part whether its second half is first.
    pub(crate) fn order(&self, mut swaps: impl FnMut() -> bool) -> Vec<usize> {
        let (mut order, mut pending) = (Vec::new(), vec![0]);
        while let Some(node) = pending.pop() {
            match self.nodes[node].halves {
                Some([a, b]) => pending.extend(if swaps() { [a, b] } else { [b, a] }),
                None => order.extend(&self.nodes[node].players),
            }
        }
        order
    }

    /// How often a part is cut when each half is looked at both without and with the other: the cuts of all, at most `most`.
    pub(crate) fn cuts(&self, most: usize) -> usize {
        let (mut cuts, mut pending) = (0_usize, vec![(0, 1_usize)]);
        while let Some((node, times)) = pending.pop() {
            if let Some(halves) = self.nodes[node].halves {
                cuts = cuts.saturating_add(times);
                pending.extend(halves.map(|half| (half, times.saturating_mul(2))));
            }
        }
        cuts.min(most)
    }
}

fn halves(players: &[usize], centres: &[[f64; 2]]) -> [Vec<usize>; 2] {
    let extent = |axis: usize| {
        let places = players.iter().map(|player| centres[*player][axis]);
        places.fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)))
    };
    let [(top, bottom), (left, right)] = [0, 1].map(extent);
    let (axis, low, high) = if bottom - top >= right - left { (0, top, bottom) } else { (1, left, right) };
    if low == high {
        let (first, second) = players.split_at(players.len() / 2);
        return [first.to_vec(), second.to_vec()];
    }
    // What lies on the middle itself goes down or right, but for rounding: a third row is above no middle.
    let middle = (low + high) / 2.0 - 1e-9 * (high - low);
    let (first, second) = players.iter().partition(|player| centres[**player][axis] < middle);
    [first, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(rows: usize, columns: usize) -> Hierarchy {
        let centre = |cell: usize| [(cell / columns) as f64, (cell % columns) as f64];
        Hierarchy::of(&(0..rows * columns).map(centre).collect::<Vec<_>>())
    }

    #[test]
    fn a_picture_is_halved_across_its_longer_side() {
        let tree = grid(2, 4);
        let [left, right] = tree.halves(0).unwrap();
        assert_eq!((tree.players(left), tree.players(right)), (&[0, 1, 4, 5][..], &[2, 3, 6, 7][..]));
        let [top, _] = tree.halves(left).unwrap();
        assert_eq!(tree.players(top), [0, 1]);
        // Of three rows the first is cut off, as whole rows stay together.
        let tree = grid(3, 3);
        assert_eq!(tree.players(tree.halves(0).unwrap()[0]), [0, 1, 2]);
        let stacked = Hierarchy::of(&[[1.0, 1.0]; 3]);
        assert_eq!(stacked.players(stacked.halves(0).unwrap()[1]), [1, 2]);
    }

    /// One cut of all four, two of each half, four times two single ones: nothing is left to cut.
    #[test]
    fn cuts_are_those_of_every_part_beside_every_other_half() {
        assert_eq!(grid(2, 2).cuts(100), 1 + 2 * 2);
        assert_eq!(grid(8, 8).cuts(usize::MAX), (4_usize.pow(6) - 1) / 3);
        assert_eq!((grid(1, 1).cuts(100), grid(8, 8).cuts(7)), (0, 7));
    }

    #[test]
    fn halves_stay_together_in_every_order() {
        let tree = grid(2, 2);
        assert_eq!(tree.order(|| false), [0, 1, 2, 3]);
        assert_eq!(tree.order(|| true), [3, 2, 1, 0]);
        let mut first = true;
        assert_eq!(tree.order(|| std::mem::take(&mut first)), [2, 3, 0, 1]);
    }
}
