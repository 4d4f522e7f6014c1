//! seeds → labelled traffic of a fleet → how often each network role is told rightly, beside counting; as a page.
//!
//! `cargo run --release -p ringleader-pipeline --example network_roles -- [SEEDS]`

mod attacks;
mod honest;
mod score;
mod traffic;

use traffic::World;

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(20);
    let mut page = score::Page::default();
    // The first hundred are for whoever changes a rule to look at.
    for seed in 101..101 + seeds {
        let mut world = World::new(seed);
        honest::fleet(&mut world);
        attacks::infect(&mut world);
        page.add(&world);
    }
    print!("{}", page.markdown(seeds));
}
