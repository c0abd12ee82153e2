use plain_planner::{student, user};
use relata::WithAll;

fn report(row: &WithAll<(student::WithExams, user::WithSessions)>) {
    drop(row.exams.len());
}

fn main() {}
