-- Beside POSTGRES_DB, at the first start of an empty volume.
CREATE DATABASE dagster;
CREATE DATABASE mlflow;
