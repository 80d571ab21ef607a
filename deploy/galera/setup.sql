-- Users of the cluster. Statements without a default database; one line each (init-file).
CREATE DATABASE IF NOT EXISTS mds CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS 'mds'@'%' IDENTIFIED BY '@MDS_DATABASE_PASSWORD@';
GRANT ALL ON mds.* TO 'mds'@'%';
-- The load balancer asks each node how it is. It has no right at all, and no password: what it
-- sends is the same bytes each time.
CREATE USER IF NOT EXISTS 'balancer'@'%';
