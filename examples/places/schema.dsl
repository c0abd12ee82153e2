// Places on a map: points and areas of the extension PostGIS.

datasource db {
  provider   = "postgresql"
  extensions = [postgis]
}

generator client {
  provider = "relata"
}

model Cafe {
  id       Int                    @id @default(autoincrement())
  name     String                 @unique
  /// Longitude and latitude. Distances of a `geography` are in meters.
  location Geography(Point, 4326)

  @@index([location], type: Gist)
  @@map("cafes")
}

model District {
  name String                   @id
  area Geography(Polygon, 4326)

  @@index([area], type: Gist)
  @@map("districts")
}
