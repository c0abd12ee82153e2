//! The generated structs: plain, typed, one for each model.

use chrono::{DateTime, NaiveDate, Utc};
use plain_planner::{ExamType, Institution, Role, Session, Student, StudentExam, User};
use relata::uuid::Uuid;

/// These functions compile only if the fields have the types that the schema declares.
#[test]
fn there_is_a_typed_struct_for_each_of_the_six_models() {
    let _ = |row: Institution| -> (Uuid, String, String, DateTime<Utc>, DateTime<Utc>) {
        (row.id, row.name, row.slug, row.created_at, row.updated_at)
    };
    let _ = |row: User| -> (Uuid, Uuid, String, String, Role, DateTime<Utc>, DateTime<Utc>) {
        (row.id, row.institution_id, row.email, row.password_hash, row.role, row.created_at, row.updated_at)
    };
    let _ = |row: Session| -> (Uuid, Uuid, DateTime<Utc>, DateTime<Utc>) {
        (row.id, row.user_id, row.expires_at, row.created_at)
    };
    let _ = |row: Student| -> (Uuid, Uuid, Uuid, i32, bool) {
        (row.id, row.user_id, row.institution_id, row.class_year, row.has_accommodations)
    };
    let _ = |row: ExamType| -> (Uuid, Uuid, String, String, f64) {
        (row.id, row.institution_id, row.code, row.name, row.default_weight)
    };
    let _ = |row: StudentExam| -> (Uuid, Uuid, Uuid, Option<NaiveDate>, Option<f64>, Option<f64>) {
        (row.id, row.student_id, row.exam_type_id, row.scheduled_on, row.weight, row.score)
    };
    assert_eq!(Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>(), ["ADMIN", "FACULTY", "STUDENT"]);
}

/// The types of rows with relations can be named, and stay valid when a relation is added.
#[test]
fn rows_with_relations_have_names() {
    use plain_planner::{student, student_exam};
    fn _nested(row: &student::WithExams<student_exam::WithExamType>) -> Option<&str> {
        row.exams.first().map(|exam| exam.exam_type.name.as_str())
    }
    fn _several(row: &student::With<User, Institution>) -> (&str, &str, bool) {
        (&row.user.email, &row.institution.name, row.has_accommodations)
    }
}
