-- A list of what is rare among very many cases (a state, a kind of matter), newest first, is walked along its own index.
create index cases_state_received on cases (state, received_at, id);
create index cases_category_received on cases (category_code, received_at, id);
