use plain_planner::{Role, user};

fn main() {
    let tenant = relata::uuid::Uuid::nil();
    let _ = user::Create { institution: tenant, email: String::new(), role: Role::Student };
}
