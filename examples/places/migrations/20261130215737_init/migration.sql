CREATE EXTENSION IF NOT EXISTS "postgis";

CREATE TABLE "cafes" (
  "id" SERIAL NOT NULL,
  "name" TEXT NOT NULL,
  "location" geography(Point,4326) NOT NULL,
  CONSTRAINT "cafes_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "districts" (
  "name" TEXT NOT NULL,
  "area" geography(Polygon,4326) NOT NULL,
  CONSTRAINT "districts_pkey" PRIMARY KEY ("name")
);

CREATE INDEX "cafes_location_idx" ON "cafes" USING GIST ("location");

CREATE UNIQUE INDEX "cafes_name_key" ON "cafes" ("name");

CREATE INDEX "districts_area_idx" ON "districts" USING GIST ("area");
