use plain_planner::{Client, StudentExam, student_exam};

/// A misspelled field, and a type that does not fit.
#[derive(relata::Patch)]
#[relata(from = StudentExam)]
struct Changes {
    wait: Option<f64>,
    score: Option<String>,
}

/// No `Patch`.
struct Plain {
    score: Option<f64>,
}

async fn change(db: &Client, id: relata::uuid::Uuid, score: Option<f64>, plain: Plain) {
    let _ = db.student_exam().update(student_exam::id.eq(id)).set(student_exam::score.to(score)).await;
    let _ = db.student_exam().update(student_exam::id.eq(id)).set(plain).await;
    let _ = db.student_exam().update(student_exam::id.eq(id)).set(student_exam::id.eq(id)).await;
}

fn main() {}
