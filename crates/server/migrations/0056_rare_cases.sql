-- A list of what is rare among very many cases (a state, a kind of matter), newest first: walked along its own index, for the whole place
-- and for the two levels below it. Deeper areas hold few enough to be walked whole.
create index cases_state_received on cases (state, received_at, id);
create index cases_a2_state on cases (a2, state, received_at, id);
create index cases_a3_state on cases (a3, state, received_at, id);
create index cases_category_received on cases (category_code, received_at, id);
create index cases_a2_category on cases (a2, category_code, received_at, id);
create index cases_a3_category on cases (a3, category_code, received_at, id);
