use plain_planner::user;
use relata::geo_types::Point;

fn main() {
    let _ = user::email.distance(Point::new(1.0, 2.0));
    let _ = user::email.within_distance(Point::new(1.0, 2.0), 3.0);
    let _ = user::email.cosine_distance([1.0, 2.0]);
}
