-- An order that ended (state cancelled) either was carried out and struck off, or was taken back by its department before anything was
-- fed back; the note then says why.
alter table work_order add column taken_back integer not null default 0;
