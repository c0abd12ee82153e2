use plain_planner::{student, student_exam};
use relata::WithAll;

fn report(row: &WithAll<(student::WithExams, student::WithUser, student::WithExams<student_exam::WithExamType>)>) {
    drop(row.exams.len());
}

fn main() {}
