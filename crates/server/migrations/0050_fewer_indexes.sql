-- Fewer indexes to write with each case. The top area holds every case: what asks for it walks the indexes over all cases, and finds
-- each row on its way. Hardly any place has a fifth level, and few a fourth for all: cases without it are left out.
drop index cases_a1_queue;
drop index cases_a1_received;
drop index cases_a4_queue;
drop index cases_a4_received;
drop index cases_a5_queue;
drop index cases_a5_received;
create index cases_a4_queue on cases (a4, queue_at, id) where open = 1 and a4 is not null;
create index cases_a4_received on cases (a4, received_at, id) where a4 is not null;
create index cases_a5_queue on cases (a5, queue_at, id) where open = 1 and a5 is not null;
create index cases_a5_received on cases (a5, received_at, id) where a5 is not null;
