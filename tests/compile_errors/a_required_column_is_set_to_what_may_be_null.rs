use plain_planner::{Client, exam_type, student_exam};

async fn weigh(db: &Client) {
    let half = exam_type::default_weight.divided_by(exam_type::default_weight.null_if(0.0));
    let _ = db.exam_type().update_many().all_rows().set(exam_type::default_weight.to(half)).await;
    // Only what is never null is set: `coalesce` gives another value.
    let weight = student_exam::weight.to(student_exam::score.times(2.0));
    let _ = db.student_exam().update_many().all_rows().set(weight).await;
}

fn main() {}
