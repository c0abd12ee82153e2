#[derive(relata::Patch)]
struct Changes {
    score: Option<f64>,
}

/// An attribute of another derive.
#[derive(relata::Patch)]
#[relata(from = plain_planner::StudentExam)]
struct Selected {
    #[relata(nested)]
    score: Option<f64>,
}

fn main() {}
