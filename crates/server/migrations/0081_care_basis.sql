-- What an entry on a care register goes by: the list or paper it was taken from.
alter table care_entry add column basis text;
