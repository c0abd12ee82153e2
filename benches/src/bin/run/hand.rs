//! The workloads written by hand for speed: tokio-postgres, a pool, and statements that are prepared once per
//! connection.

mod rows;

use std::collections::HashMap;
use std::pin::pin;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::TryStreamExt;
use futures_util::future::try_join3;
use relata_bench::Result;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

use crate::data::Inputs;
use crate::{Side, Work, Workload};
use rows::{Exam, ExamType, Institution, Role, Student, User};

const STUDENT: &str = "SELECT id, user_id, institution_id, class_year, has_accommodations, created_at, updated_at \
     FROM students WHERE id = $1";
const STUDENT_WITH_TWO: &str = "SELECT s.id, s.user_id, s.institution_id, s.class_year, s.has_accommodations, s.created_at, s.updated_at, \
     u.id, u.institution_id, u.email, u.password_hash, u.role, u.created_at, u.updated_at, \
     i.id, i.name, i.slug, i.created_at, i.updated_at \
     FROM students AS s JOIN users AS u ON u.id = s.user_id JOIN institutions AS i ON i.id = s.institution_id \
     WHERE s.id = $1";
const STUDENTS: &str = "SELECT id, user_id, institution_id, class_year, has_accommodations, created_at, updated_at \
     FROM students ORDER BY id LIMIT $1";
const EXAMS: &str = "SELECT id, student_id, exam_type_id, scheduled_on, weight, score, created_at, updated_at \
     FROM student_exams ORDER BY id LIMIT $1";
const STUDENTS_OF_INSTITUTION: &str = "SELECT id, user_id, institution_id, class_year, has_accommodations, created_at, updated_at \
     FROM students WHERE institution_id = $1 ORDER BY id LIMIT $2";
const USERS_BY_ID: &str = "SELECT id, institution_id, email, password_hash, role, created_at, updated_at \
     FROM users WHERE id = ANY($1)";
const INSTITUTIONS_BY_ID: &str = "SELECT id, name, slug, created_at, updated_at FROM institutions WHERE id = ANY($1)";
const EXAMS_BY_STUDENT: &str = "SELECT id, student_id, exam_type_id, scheduled_on, weight, score, created_at, updated_at \
     FROM student_exams WHERE student_id = ANY($1)";
const EXAM_TYPES_BY_ID: &str = "SELECT id, institution_id, code, name, default_weight, created_at, updated_at \
     FROM exam_types WHERE id = ANY($1)";
const INSERT_USER: &str = "INSERT INTO users (id, institution_id, email, password_hash, role, updated_at) VALUES ($1, $2, $3, $4, $5, now()) \
     RETURNING id, institution_id, email, password_hash, role, created_at, updated_at";
const INSERT_USERS: &str = "INSERT INTO users (id, institution_id, email, password_hash, role, updated_at) \
     SELECT *, now() FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::role[])";
const UPDATE_STUDENT: &str = "UPDATE students SET class_year = $2, updated_at = now() WHERE id = $1 \
     RETURNING id, user_id, institution_id, class_year, has_accommodations, created_at, updated_at";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at < now()";
const FILTERED: &str = "SELECT s.id, s.user_id, s.institution_id, s.class_year, s.has_accommodations, s.created_at, s.updated_at \
     FROM students AS s JOIN users AS u ON u.id = s.user_id WHERE u.email LIKE $1 \
     AND EXISTS (SELECT FROM student_exams AS e WHERE e.student_id = s.id AND e.score > $2) \
     ORDER BY s.class_year DESC LIMIT $3";

type Parameter<'a> = &'a (dyn ToSql + Sync);

pub(crate) struct Hand(Pool);

/// A student with everything that the query loads.
struct Full {
    student: Student,
    user: User,
    institution: Institution,
    exams: Vec<(Exam, ExamType)>,
}

impl Hand {
    pub(crate) async fn connect(url: &str, connections: usize) -> Result<Self> {
        let manager =
            Manager::from_config(url.parse()?, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager).max_size(connections).build()?;
        drop(pool.get().await?);
        Ok(Self(pool))
    }

    async fn connection(&self) -> Result<Object> {
        Ok(self.0.get().await?)
    }

    async fn find_by_key(&self, inputs: &mut Inputs) -> Result<u64> {
        let id = inputs.student();
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(STUDENT).await?;
        let found = Student::read(&connection.query_one(&statement, &[&id]).await?, 0);
        Ok(found.class_year as u64)
    }

    async fn key_with_two(&self, inputs: &mut Inputs) -> Result<u64> {
        let id = inputs.student();
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(STUDENT_WITH_TWO).await?;
        let row = connection.query_one(&statement, &[&id]).await?;
        let student = Student::read(&row, 0);
        let user = User::read(&row, Student::COLUMNS);
        let institution = Institution::read(&row, Student::COLUMNS + User::COLUMNS);
        Ok(student.class_year as u64 + (user.email.len() + institution.name.len()) as u64)
    }

    async fn rows_1000(&self) -> Result<u64> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(STUDENTS).await?;
        let rows = connection.query(&statement, &[&1000_i64]).await?;
        let students: Vec<Student> = rows.iter().map(|row| Student::read(row, 0)).collect();
        Ok(students.iter().map(|student| student.class_year as u64).sum())
    }

    /// Read one by one, so that the rows of the driver and the structs are not all in memory at the same time.
    async fn rows_10000(&self) -> Result<u64> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(EXAMS).await?;
        let limit: [Parameter<'_>; 1] = [&10_000_i64];
        let mut rows = pin!(connection.query_raw(&statement, limit).await?);
        let mut exams = Vec::new();
        while let Some(row) = rows.try_next().await? {
            exams.push(Exam::read(&row, 0));
        }
        Ok(exams.iter().map(|exam| exam.score.unwrap_or_default() as u64).sum())
    }

    async fn nested(&self, inputs: &mut Inputs) -> Result<u64> {
        let institution = inputs.institution();
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(STUDENTS_OF_INSTITUTION).await?;
        let rows = connection.query(&statement, &[&institution, &100_i64]).await?;
        let students: Vec<Student> = rows.iter().map(|row| Student::read(row, 0)).collect();
        let full = with_relations(&connection, students).await?;
        let mut sum = 0;
        for full in &full {
            sum += full.user.email.len() + full.institution.slug.len();
            for (exam, exam_type) in &full.exams {
                sum += exam_type.name.len() + exam.score.unwrap_or_default() as usize;
            }
        }
        std::hint::black_box(full.first().map(|full| full.student.class_year));
        Ok(sum as u64)
    }

    async fn insert_one(&self, inputs: &mut Inputs) -> Result<u64> {
        let new = inputs.user();
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(INSERT_USER).await?;
        let values: [Parameter<'_>; 5] =
            [&Uuid::new_v4(), &new.institution, &new.email, &new.password_hash, &Role::Student];
        let made = User::read(&connection.query_one(&statement, &values).await?, 0);
        Ok(made.email.len() as u64 + u64::from(made.created_at.timestamp() > 1_700_000_000))
    }

    async fn insert_1000(&self, inputs: &mut Inputs) -> Result<u64> {
        let new = inputs.users();
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(INSERT_USERS).await?;
        let ids: Vec<Uuid> = new.iter().map(|_| Uuid::new_v4()).collect();
        let institutions: Vec<Uuid> = new.iter().map(|user| user.institution).collect();
        let emails: Vec<&str> = new.iter().map(|user| user.email.as_str()).collect();
        let hashes: Vec<&str> = new.iter().map(|user| user.password_hash.as_str()).collect();
        let roles = vec![Role::Student; new.len()];
        Ok(connection.execute(&statement, &[&ids, &institutions, &emails, &hashes, &roles]).await?)
    }

    async fn update_one(&self, inputs: &mut Inputs) -> Result<u64> {
        let (id, year) = (inputs.student(), inputs.class_year());
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(UPDATE_STUDENT).await?;
        let changed = Student::read(&connection.query_one(&statement, &[&id, &year]).await?, 0);
        Ok(changed.class_year as u64)
    }

    async fn delete_expired(&self) -> Result<u64> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(DELETE_EXPIRED).await?;
        Ok(connection.execute(&statement, &[]).await?)
    }

    async fn relation_filter(&self) -> Result<u64> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(FILTERED).await?;
        let rows = connection.query(&statement, &[&"a%", &90.0_f64, &50_i64]).await?;
        let students: Vec<Student> = rows.iter().map(|row| Student::read(row, 0)).collect();
        Ok(students.iter().map(|student| student.class_year as u64).sum())
    }
}

/// Loads what belongs to the students: three statements at once, then the exam types.
async fn with_relations(connection: &Object, students: Vec<Student>) -> Result<Vec<Full>> {
    let ids: Vec<Uuid> = students.iter().map(|student| student.id).collect();
    let user_ids: Vec<Uuid> = students.iter().map(|student| student.user_id).collect();
    let institution_ids = distinct(students.iter().map(|student| student.institution_id));
    let users = connection.prepare_cached(USERS_BY_ID).await?;
    let institutions = connection.prepare_cached(INSTITUTIONS_BY_ID).await?;
    let exams = connection.prepare_cached(EXAMS_BY_STUDENT).await?;
    let types = connection.prepare_cached(EXAM_TYPES_BY_ID).await?;
    let keys: [[Parameter<'_>; 1]; 3] = [[&user_ids], [&institution_ids], [&ids]];
    let (users, institutions, exams) = try_join3(
        connection.query(&users, &keys[0]),
        connection.query(&institutions, &keys[1]),
        connection.query(&exams, &keys[2]),
    )
    .await?;
    let exams: Vec<Exam> = exams.iter().map(|row| Exam::read(row, 0)).collect();
    let type_ids = distinct(exams.iter().map(|exam| exam.exam_type_id));
    let types = connection.query(&types, &[&type_ids]).await?;

    let types = by_id(&types, |row| ExamType::read(row, 0), |exam_type| exam_type.id);
    let institutions = by_id(&institutions, |row| Institution::read(row, 0), |institution| institution.id);
    let mut users = by_id(&users, |row| User::read(row, 0), |user| user.id);
    let mut exams_of: HashMap<Uuid, Vec<(Exam, ExamType)>> = HashMap::with_capacity(ids.len());
    for exam in exams {
        let exam_type = types.get(&exam.exam_type_id).ok_or("an exam type has gone")?.clone();
        exams_of.entry(exam.student_id).or_default().push((exam, exam_type));
    }
    let full = students.into_iter().map(|student| {
        Ok(Full {
            user: users.remove(&student.user_id).ok_or("a user has gone")?,
            institution: institutions.get(&student.institution_id).ok_or("an institution has gone")?.clone(),
            exams: exams_of.remove(&student.id).unwrap_or_default(),
            student,
        })
    });
    full.collect()
}

fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn by_id<T>(rows: &[Row], read: impl Fn(&Row) -> T, id: impl Fn(&T) -> Uuid) -> HashMap<Uuid, T> {
    rows.iter().map(read).map(|row| (id(&row), row)).collect()
}

impl Side for Hand {
    async fn run(&self, workload: Workload, inputs: &mut Inputs) -> Result<u64> {
        let work: Work<'_> = match workload {
            Workload::FindByKey => Box::pin(self.find_by_key(inputs)),
            Workload::KeyWithTwo => Box::pin(self.key_with_two(inputs)),
            Workload::Rows1000 => Box::pin(self.rows_1000()),
            Workload::Rows10000 => Box::pin(self.rows_10000()),
            Workload::Nested => Box::pin(self.nested(inputs)),
            Workload::InsertOne => Box::pin(self.insert_one(inputs)),
            Workload::Insert1000 => Box::pin(self.insert_1000(inputs)),
            Workload::UpdateOne => Box::pin(self.update_one(inputs)),
            Workload::DeleteExpired => Box::pin(self.delete_expired()),
            Workload::RelationFilter => Box::pin(self.relation_filter()),
        };
        work.await
    }
}
