//! Writes sample pages of the explorer: `cargo run -p integration-view --features explorer --example explorer_gallery -- DIR`.

mod samples;

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Instant;
use std::{env, io};

use integration_view::explorer::{self, GraphPicture};

type Maker = fn() -> GraphPicture;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("gallery"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let makers: [(&str, Maker); 8] = [
        ("small", samples::small),
        ("1000", || samples::large(1_000)),
        ("10000", || samples::large(10_000)),
        ("50000", || samples::large(50_000)),
        ("mesh", || samples::mesh(1_500)),
        ("hostile", samples::hostile),
        ("compared", samples::comparison),
        ("empty", GraphPicture::default),
    ];
    for (name, make) in makers {
        let graph = make();
        let path = folder.join(format!("explorer-{name}.html"));
        let start = Instant::now();
        explorer::write_html(&graph, &mut File::create(&path)?)?;
        let (nodes, edges) = (graph.nodes.len(), graph.edges.len());
        let size = fs::metadata(&path)?.len() / 1000;
        println!("{name}: {nodes} nodes, {edges} relationships, {size} kB, {} ms", start.elapsed().as_millis());
    }
    Ok(())
}
