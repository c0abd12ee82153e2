//! The six models of the exam planner, for the oracle and for the client.

use plain_planner::{
    Client, ExamType, Institution, Role, Session, Student, StudentExam, User, exam_type, institution, session, student,
    student_exam, user,
};
use relata::chrono::{DateTime, NaiveDate};
use relata::uuid::Uuid;

use super::data::{Source, texts};
use super::describe::{attach, branches, field_object, subject, with_relations};
use super::value::{Plain, Value};
use super::world::Link::Named;

pub(super) fn floats() -> Source {
    let floats = [0.0, -0.0, 0.5, 1.0, -1.5, 90.0, 92.25, f64::NAN, f64::INFINITY];
    Source::Pool(floats.map(Value::Float).to_vec())
}

pub(super) fn moments() -> Source {
    let moment = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("is in range");
    Source::Pool([0, 1, 3_600, 86_400].map(|seconds| Value::Moment(moment(seconds))).to_vec())
}

pub(super) fn days() -> Source {
    let day = |day| NaiveDate::from_ymd_opt(2026, 2, day).expect("is a day");
    Source::Pool([1, 2, 28].map(|number| Value::Day(day(number))).to_vec())
}

pub(super) fn bools() -> Source {
    Source::Pool(vec![Value::Bool(false), Value::Bool(true)])
}

pub(super) fn ints(values: &[i64]) -> Source {
    Source::Pool(values.iter().copied().map(Value::Int).collect())
}

fn roles() -> Source {
    Source::Pool(Role::ALL.iter().map(Plain::value).collect())
}

subject! {
    Client, institution, Institution, institution;
    fields {
        id: Plain false = Source::Uuid,
        name: Text false = Source::Pool(texts()),
        slug: Text false = Source::Pool(texts()),
        created_at: Plain false = moments(),
        updated_at: Plain false = moments(),
    }
    relations {
        users: Many 1 Named(&["id"], &["institution_id"]),
        students: Many 3 Named(&["id"], &["institution_id"]),
        exam_types: Many 4 Named(&["id"], &["institution_id"]),
    }
    keys { id(id: Uuid), slug(slug: String), }
    pairs { name slug, created_at updated_at, }
    columns { (name), (name, created_at), (updated_at), }
    calculations { count Count name, min Least name, max Greatest created_at, count_distinct CountDistinct name, min Least id, }
    shapes {
        [],
        [many institution::users(one user::student())],
        [many institution::students(one student::user() many student::exams()) many institution::exam_types()],
    }
    selections {
        (institution::slug, institution::users.count(), institution::students.count())
            => [field("slug"), count("users"), count("students")],
        (institution::id, institution::users.order_by(user::id.asc()).select((user::email, user::role)))
            => [field("id"), related("users", vec![field("email"), field("role")])],
    }
}

subject! {
    Client, user, User, user;
    fields {
        id: Plain false = Source::Uuid,
        institution_id: Plain false = Source::Foreign("institution"),
        email: Text false = Source::Pool(texts()),
        password_hash: Text false = Source::Pool(texts()),
        role: Plain false = roles(),
        created_at: Plain false = moments(),
        updated_at: Plain false = moments(),
    }
    relations {
        institution: One 0 Named(&["institution_id"], &["id"]),
        sessions: Many 2 Named(&["id"], &["user_id"]),
        student: Maybe 3 Named(&["id"], &["user_id"]),
    }
    keys { id(id: Uuid), institution_id_email(institution_id: Uuid, email: String), }
    pairs { email password_hash, id institution_id, created_at updated_at, }
    columns { (role), (institution_id, role), (email), }
    calculations { count Count id, min Least email, max Greatest role, count_distinct CountDistinct role, }
    shapes {
        [],
        [one user::institution() many user::sessions() one user::student()],
        [one user::student(many student::exams(one student_exam::exam_type()) one student::institution())],
    }
    selections {
        (user::email, user::student.select((student::class_year, student::exams.count())), user::sessions.count())
            => [field("email"), related("student", vec![field("class_year"), count("exams")]), count("sessions")],
    }
}

subject! {
    Client, session, Session, session;
    fields {
        id: Plain false = Source::Uuid,
        user_id: Plain false = Source::Foreign("user"),
        expires_at: Plain false = moments(),
        created_at: Plain false = moments(),
    }
    relations { user: One 1 Named(&["user_id"], &["id"]), }
    keys { id(id: Uuid), }
    pairs { expires_at created_at, }
    columns { (user_id), (expires_at, created_at), }
    calculations { min Least expires_at, max Greatest expires_at, count_distinct CountDistinct user_id, }
    shapes { [], [one session::user(one user::institution() one user::student())], }
    selections {
        (session::expires_at, session::user.select((user::email, user::institution.select((institution::slug,)))))
            => [field("expires_at"), related("user", vec![field("email"), related("institution", vec![field("slug")])])],
    }
}

subject! {
    Client, student, Student, student;
    fields {
        id: Plain false = Source::Uuid,
        user_id: Plain false = Source::Foreign("user"),
        institution_id: Plain false = Source::Foreign("institution"),
        class_year: Plain false = ints(&[2025, 2026, 2027]),
        has_accommodations: Plain false = bools(),
        created_at: Plain false = moments(),
        updated_at: Plain false = moments(),
    }
    relations {
        user: One 1 Named(&["user_id"], &["id"]),
        institution: One 0 Named(&["institution_id"], &["id"]),
        exams: Many 5 Named(&["id"], &["student_id"]),
    }
    keys { id(id: Uuid), user_id(user_id: Uuid), }
    pairs { user_id institution_id, created_at updated_at, }
    columns { (class_year), (class_year, has_accommodations), (institution_id), }
    calculations { sum Sum class_year, avg Average class_year, min Least class_year, max Greatest has_accommodations, min Least user_id, }
    shapes {
        [],
        [one student::user() one student::institution() many student::exams()],
        [many student::exams(one student_exam::exam_type(one exam_type::institution()))],
        [one student::user(many user::sessions())],
    }
    selections {
        (student::id, student::user.select((user::email,)), student::exams.count())
            => [field("id"), related("user", vec![field("email")]), count("exams")],
        (student::class_year, student::exams.order_by(student_exam::id.asc()).select((student_exam::score, student_exam::exam_type.select((exam_type::code,)))))
            => [field("class_year"), related("exams", vec![field("score"), related("exam_type", vec![field("code")])])],
    }
}

subject! {
    Client, exam_type, ExamType, exam_type;
    fields {
        id: Plain false = Source::Uuid,
        institution_id: Plain false = Source::Foreign("institution"),
        code: Text false = Source::Pool(texts()),
        name: Text false = Source::Pool(texts()),
        default_weight: Plain false = floats(),
        created_at: Plain false = moments(),
        updated_at: Plain false = moments(),
    }
    relations {
        institution: One 0 Named(&["institution_id"], &["id"]),
        exams: Many 5 Named(&["id"], &["exam_type_id"]),
    }
    keys { id(id: Uuid), institution_id_code(institution_id: Uuid, code: String), }
    pairs { code name, }
    columns { (name), (default_weight), }
    calculations { sum Sum default_weight, avg Average default_weight, max Greatest code, }
    shapes { [], [one exam_type::institution(many institution::users())], [many exam_type::exams(one student_exam::student())], }
    selections { (exam_type::code, exam_type::default_weight) => [field("code"), field("default_weight")], }
}

subject! {
    Client, student_exam, StudentExam, student_exam;
    fields {
        id: Plain false = Source::Uuid,
        student_id: Plain false = Source::Foreign("student"),
        exam_type_id: Plain false = Source::Foreign("exam_type"),
        scheduled_on: Plain true = days(),
        weight: Plain true = floats(),
        score: Plain true = floats(),
        created_at: Plain false = moments(),
        updated_at: Plain false = moments(),
    }
    relations {
        student: One 3 Named(&["student_id"], &["id"]),
        exam_type: One 4 Named(&["exam_type_id"], &["id"]),
    }
    keys { id(id: Uuid), }
    pairs { weight score, created_at updated_at, }
    columns { (score), (student_id, scheduled_on), (exam_type_id), (weight), }
    calculations {
        count Count score,
        sum Sum score,
        avg Average weight,
        min Least scheduled_on,
        max Greatest score,
        count_distinct CountDistinct weight,
    }
    shapes {
        [],
        [one student_exam::student(one student::user() many student::exams()) one student_exam::exam_type()],
    }
    selections {
        (student_exam::score, student_exam::student.select((student::class_year, student::user.select((user::email,)))))
            => [field("score"), related("student", vec![field("class_year"), related("user", vec![field("email")])])],
    }
}

with_relations!(institution: users S0, students S1, exam_types S2);
with_relations!(user: institution S0, sessions S1, student S2);
with_relations!(session: user S0);
with_relations!(student: user S0, institution S1, exams S2);
with_relations!(exam_type: institution S0, exams S1);
with_relations!(student_exam: student S0, exam_type S1);
