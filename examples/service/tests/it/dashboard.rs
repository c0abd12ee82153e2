//! Figures by month.

use helpdesk::db::{Status, ticket, work_entry};
use relata::chrono::{DateTime, NaiveDate, Utc};
use relata::rust_decimal::Decimal;
use serde_json::json;

use crate::support::{Service, a_customer, tickets};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("is a time")
}

#[relata::test]
async fn every_month_of_the_span_has_its_figures(service: Service) {
    let db = &service.db;
    let ada = a_customer(db, "ada").await;
    let made = tickets(db, &ada, &["a", "b", "c", "gone"]).await;
    let days = ["2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-04-10T12:00:00Z", "2026-02-02T00:00:00Z"];
    for (row, day) in made.iter().zip(days) {
        db.ticket().update(ticket::id.eq(row.id)).set(ticket::created_at.to(time(day))).await.expect("is changed");
    }
    let solved = [ticket::status.to(Status::Solved), ticket::solved_at.to(time("2026-04-30T23:59:59Z"))];
    db.ticket().update(ticket::id.eq(made[0].id)).set(solved).await.expect("is changed");
    for (day, minutes, cents) in [(1, 20, 1_050), (30, 25, 2_025)] {
        let work = work_entry::Factory::new(u64::from(day)).with([
            work_entry::ticket_id.to(made[0].id),
            work_entry::agent_id.to(service.admin.id),
            work_entry::worked_on.to(NaiveDate::from_ymd_opt(2026, 4, day).expect("is a day")),
            work_entry::minutes.to(minutes),
            work_entry::cost.to(Decimal::new(cents, 2)),
        ]);
        work.create(db).await.expect("is created");
    }
    service.delete(&format!("/tickets/{}", made[3].id)).await;

    let (status, figures) = service.get("/dashboard?since=2026-01-15&until=2026-04-01").await;
    assert_eq!(status, 200, "{figures}");
    assert_eq!(figures["tickets"], json!([{ "status": "OPEN", "tickets": 2 }, { "status": "SOLVED", "tickets": 1 }]));
    let month = |month: &str, opened: i64, solved: i64, minutes: i64, cost: &str| json!({ "month": month, "opened": opened, "solved": solved, "minutes": minutes, "cost": cost });
    let expected = [
        month("2026-01-01", 1, 0, 0, "0"),
        month("2026-02-01", 1, 0, 0, "0"),
        month("2026-03-01", 0, 0, 0, "0"),
        month("2026-04-01", 1, 1, 45, "30.75"),
    ];
    assert_eq!(figures["months"], json!(expected));

    for wrong in ["since=2026-02-01&until=2026-01-01", "since=1990-01-01&until=2026-01-01"] {
        assert_eq!(service.get(&format!("/dashboard?{wrong}")).await.0, 422);
    }
    assert_eq!(service.get("/dashboard?since=2026-02-30&until=2026-03-01").await.0, 400);
}
