//! What is to be kept together: groups (natural villages, compounds) and pairs become one unit before anything is drawn.

use super::band::Limits;
use super::coarsen::{Coarse, contract};
use super::graph::{Graph, Mass};
use super::town::{NONE, Wishes};
use super::tree::find;
use super::zones::Zones;

/// The graph with groups and pairs joined; nothing if there are none in this zone. Also notes the pairs to keep apart.
pub(crate) fn keep(graph: &mut Graph, zones: &Zones, zone: usize, wishes: &Wishes, limits: &Limits) -> Option<Coarse> {
    let units = zones.units(zone);
    let here = |&&(a, b): &&(u32, u32)| zones.of[a as usize] == zone as u32 && zones.of[b as usize] == zone as u32;
    let places = |&(a, b): &(u32, u32)| (zones.place[a as usize], zones.place[b as usize]);
    graph.apart = wishes.part.iter().filter(here).map(places).collect();
    let mut set: Vec<u32> = (0..units.len() as u32).collect();
    if !wishes.group.is_empty() {
        for v in 0..units.len() as u32 {
            let group = wishes.group[units[v as usize] as usize];
            for near in graph.near(v) {
                if group != NONE && wishes.group[units[near.to as usize] as usize] == group {
                    let (a, b) = (find(&mut set, v), find(&mut set, near.to));
                    set[a as usize] = b;
                }
            }
        }
        dissolve_large(graph, limits, &mut set);
    }
    for (a, b) in wishes.join.iter().filter(here).map(places) {
        let before = set.clone();
        for v in way(graph, a, b) {
            let (a, b) = (find(&mut set, v), find(&mut set, b));
            set[a as usize] = b;
        }
        let of_pair = |set: &mut Vec<u32>, v: u32| find(set, v) == find(set, b);
        let mass = (0..units.len() as u32)
            .filter(|&v| of_pair(&mut set, v))
            .fold(Mass::default(), |m, v| m.with(&graph.mass[v as usize]));
        if too_large(limits, &mass) {
            set = before;
        }
    }
    let joined = (0..units.len() as u32).any(|v| set[v as usize] != v);
    joined.then(|| contract(graph, &mut set))
}

fn too_large(limits: &Limits, mass: &Mass) -> bool {
    (0..limits.n).all(|b| mass.loads[b] > limits.hi[b])
}

/// A group above the band cannot be kept whole: its units stand alone again.
fn dissolve_large(graph: &Graph, limits: &Limits, set: &mut [u32]) {
    let n = set.len();
    let roots: Vec<u32> = (0..n as u32).map(|v| find(set, v)).collect();
    let mut mass = vec![Mass::default(); n];
    for v in 0..n {
        mass[roots[v] as usize].add(&graph.mass[v]);
    }
    for v in 0..n {
        set[v] = if too_large(limits, &mass[roots[v] as usize]) {
            v as u32
        } else {
            roots[v]
        };
    }
}

/// A shortest way from one unit to another, both included; empty if there is none.
fn way(graph: &Graph, from: u32, to: u32) -> Vec<u32> {
    let mut back = vec![NONE; graph.len()];
    let mut list = vec![to];
    back[to as usize] = to;
    let mut at = 0;
    while at < list.len() && back[from as usize] == NONE {
        let v = list[at];
        at += 1;
        for near in graph.near(v) {
            if back[near.to as usize] == NONE {
                back[near.to as usize] = v;
                list.push(near.to);
            }
        }
    }
    let mut way = vec![];
    let mut v = from;
    while back[v as usize] != NONE {
        way.push(v);
        if v == to {
            break;
        }
        v = back[v as usize];
    }
    way
}
