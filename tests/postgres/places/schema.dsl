// The types of PostGIS.

datasource db {
  provider   = "postgresql"
  extensions = [postgis]
}

generator client {
  provider = "relata"
  serde    = true
}

model Spot {
  id       Int                           @id @default(autoincrement())
  at       Geography(Point, 4326)
  flat     Geometry(Point, 25833)?
  line     Geometry(LineString, 4326)?
  area     Geography(Polygon, 4326)?
  points   Geometry(MultiPoint)?
  lines    Geometry(MultiLineString)?
  areas    Geometry(MultiPolygon)?
  all      Geometry(GeometryCollection)?
  anything Geometry?
  tall     Geometry(PointZ)?
  several  Geometry(Point, 4326)[]

  @@index([at], type: Gist)
}
