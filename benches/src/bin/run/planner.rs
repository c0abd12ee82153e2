//! The workloads through the generated client.

use plain_planner::{Client, Role, session, student, student_exam, user};
use relata::now;
use relata_bench::Result;

use crate::data::{Inputs, NewUser};
use crate::{Side, Work, Workload};

pub(crate) struct Planner(Client);

impl Planner {
    pub(crate) async fn connect(url: &str, connections: usize) -> Result<Self> {
        Ok(Self(Client::builder(url)?.max_connections(connections).connect().await?))
    }

    async fn find_by_key(&self, inputs: &mut Inputs) -> Result<u64> {
        let found = self.0.student().find_unique(student::id.eq(inputs.student())).or_err().await?;
        Ok(found.class_year as u64)
    }

    async fn key_with_two(&self, inputs: &mut Inputs) -> Result<u64> {
        let id = inputs.student();
        let query = self.0.student().find_unique(student::id.eq(id));
        let found = query.include(student::user).include(student::institution).or_err().await?;
        Ok(found.class_year as u64 + (found.user.email.len() + found.institution.name.len()) as u64)
    }

    async fn rows_1000(&self) -> Result<u64> {
        let students = self.0.student().find_many().order_by(student::id.asc()).take(1000).await?;
        Ok(students.iter().map(|student| student.class_year as u64).sum())
    }

    async fn rows_10000(&self) -> Result<u64> {
        let exams = self.0.student_exam().find_many().order_by(student_exam::id.asc()).take(10_000).await?;
        Ok(exams.iter().map(|exam| exam.score.unwrap_or_default() as u64).sum())
    }

    async fn nested(&self, inputs: &mut Inputs) -> Result<u64> {
        let students = self
            .0
            .student()
            .find_many()
            .filter(student::institution_id.eq(inputs.institution()))
            .order_by(student::id.asc())
            .take(100)
            .include(student::user)
            .include(student::institution)
            .include(student::exams.include(student_exam::exam_type))
            .await?;
        let mut sum = 0;
        for student in &students {
            sum += student.user.email.len() + student.institution.slug.len();
            for exam in &student.exams {
                sum += exam.exam_type.name.len() + exam.score.unwrap_or_default() as usize;
            }
        }
        Ok(sum as u64)
    }

    async fn insert_one(&self, inputs: &mut Inputs) -> Result<u64> {
        let made = self.0.user().create(row(inputs.user())).await?;
        Ok(made.email.len() as u64 + u64::from(made.created_at.timestamp() > 1_700_000_000))
    }

    async fn insert_1000(&self, inputs: &mut Inputs) -> Result<u64> {
        Ok(self.0.user().create_many(inputs.users().into_iter().map(row)).await?)
    }

    async fn update_one(&self, inputs: &mut Inputs) -> Result<u64> {
        let (id, year) = (inputs.student(), inputs.class_year());
        let changed = self.0.student().update(student::id.eq(id)).set(student::class_year.to(year)).await?;
        Ok(changed.class_year as u64)
    }

    async fn delete_expired(&self) -> Result<u64> {
        Ok(self.0.session().delete_many().filter(session::expires_at.lt(now())).await?)
    }

    async fn relation_filter(&self) -> Result<u64> {
        let students = self
            .0
            .student()
            .find_many()
            .filter(student::user.is(user::email.starts_with("a")) & student::exams.some(student_exam::score.gt(90.0)))
            .order_by(student::class_year.desc())
            .take(50)
            .await?;
        Ok(students.iter().map(|student| student.class_year as u64).sum())
    }
}

fn row(new: NewUser) -> user::Create {
    user::Create {
        institution: new.institution,
        email: new.email,
        password_hash: new.password_hash,
        role: Role::Student,
    }
}

impl Side for Planner {
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
