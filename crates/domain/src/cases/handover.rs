//! Handover 平台流转: one case in the hands of two platforms. The platform that passed it on (the origin) stays answerable to the resident;
//! the other handles it. Each side keeps a [`Side`]; the two talk in numbered messages, one number series a direction.
//!
//! What holds however messages are lost, doubled, delayed or disordered: once each side has heard all the other said, both stand alike
//! ([`Side::agrees`]). Order comes from the numbers alone. The one race there is (the origin withdraws while the receiver accepts, returns or
//! answers) is decided by the rule that withdrawing wins. Must not: know what a message says, who sends it, or when.

use super::refusal::HandoverRefusal;

/// Which of the two platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It passed the case on.
    Origin,
    /// It was passed the case.
    Receiver,
}

impl Role {
    /// The word stored and shown.
    pub fn key(self) -> &'static str {
        match self {
            Role::Origin => "out",
            Role::Receiver => "in",
        }
    }

    /// The role of a stored word.
    pub fn from_key(key: &str) -> Option<Role> {
        [Role::Origin, Role::Receiver]
            .into_iter()
            .find(|role| role.key() == key)
    }
}

/// Where a handover stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Passed on; the receiver has not said whether it is theirs.
    Offered,
    /// The receiver handles it.
    Accepted,
    /// The receiver gave its answer; the origin tells the resident.
    Answered,
    /// The origin is content.
    Closed,
    /// The receiver gave it back.
    Returned,
    /// The origin took it back.
    Withdrawn,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 6] = [
        Phase::Offered,
        Phase::Accepted,
        Phase::Answered,
        Phase::Closed,
        Phase::Returned,
        Phase::Withdrawn,
    ];

    /// The word stored and sent.
    pub fn key(self) -> &'static str {
        match self {
            Phase::Offered => "offered",
            Phase::Accepted => "accepted",
            Phase::Answered => "answered",
            Phase::Closed => "closed",
            Phase::Returned => "returned",
            Phase::Withdrawn => "withdrawn",
        }
    }

    /// The phase of a stored word.
    pub fn from_key(key: &str) -> Option<Phase> {
        Self::ALL.into_iter().find(|phase| phase.key() == key)
    }

    /// Whether the receiver has it in hand.
    pub fn is_with_receiver(self) -> bool {
        matches!(self, Phase::Offered | Phase::Accepted)
    }

    /// Where a message leads. One that comes too late to matter leaves things as they are.
    fn after(self, verb: Verb) -> Phase {
        match (self, verb) {
            (Phase::Offered, Verb::Accept) => Phase::Accepted,
            (Phase::Offered | Phase::Accepted, Verb::Answer) => Phase::Answered,
            (Phase::Offered | Phase::Accepted, Verb::Return) => Phase::Returned,
            (Phase::Answered, Verb::Close) => Phase::Closed,
            (Phase::Answered | Phase::Closed, Verb::Reopen) => Phase::Accepted,
            // It was said while the case was with the receiver: whatever they said meanwhile, it is the origin's again.
            (_, Verb::Withdraw) => Phase::Withdrawn,
            _ => self,
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// 转交. The first message, always.
    PassOn,
    /// 补充: what was asked for, or more that became known.
    Supply,
    /// 撤回.
    Withdraw,
    /// 重新打开: the resident objects, or a check failed.
    Reopen,
    /// 办结.
    Close,
    /// 接办.
    Accept,
    /// 退回, with a reason.
    Return,
    /// 要求补充.
    Ask,
    /// 进展.
    Progress,
    /// 答复: the result, for the origin to tell the resident.
    Answer,
}

impl Verb {
    /// All of them: first the origin's, then the receiver's.
    pub const ALL: [Verb; 10] = [
        Verb::PassOn,
        Verb::Supply,
        Verb::Withdraw,
        Verb::Reopen,
        Verb::Close,
        Verb::Accept,
        Verb::Return,
        Verb::Ask,
        Verb::Progress,
        Verb::Answer,
    ];

    /// The word sent.
    pub fn key(self) -> &'static str {
        match self {
            Verb::PassOn => "pass_on",
            Verb::Supply => "supply",
            Verb::Withdraw => "withdraw",
            Verb::Reopen => "reopen",
            Verb::Close => "close",
            Verb::Accept => "accept",
            Verb::Return => "return",
            Verb::Ask => "ask",
            Verb::Progress => "progress",
            Verb::Answer => "answer",
        }
    }

    /// The verb of a word.
    pub fn from_key(key: &str) -> Option<Verb> {
        Self::ALL.into_iter().find(|verb| verb.key() == key)
    }

    /// Who says it.
    pub fn speaker(self) -> Role {
        match self {
            Verb::PassOn | Verb::Supply | Verb::Withdraw | Verb::Reopen | Verb::Close => Role::Origin,
            Verb::Accept | Verb::Return | Verb::Ask | Verb::Progress | Verb::Answer => Role::Receiver,
        }
    }
}

/// A message as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub verb: Verb,
    /// Its number among those of its speaker, from 1.
    pub seq: u32,
    /// The last of the other side's that the speaker had heard.
    pub heard: u32,
}

/// What hearing a message comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// New: this is where the side stands now.
    New(Side),
    /// Heard before.
    Again,
    /// It comes before its predecessor; that one is asked for.
    Early { expected: u32 },
    /// A number or a verb this speaker cannot have sent.
    Impossible,
}

/// One platform's view of a handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    pub role: Role,
    pub phase: Phase,
    /// Messages said.
    pub said: u32,
    /// Messages of the other side heard.
    pub heard: u32,
    /// Number of the receiver's last question; 0: none.
    pub asked: u32,
    /// The receiver's last message the origin knew of when it last supplied something.
    pub supplied: u32,
    /// Times it was reopened.
    pub rounds: u32,
}

impl Side {
    /// The origin passes a case on: its side, and the first message.
    pub fn pass_on() -> (Side, Said) {
        let mut side = Side::new(Role::Origin);
        let said = side.utter(Verb::PassOn);
        (side, said)
    }

    /// The receiver's side, before it has heard anything.
    pub fn receiver() -> Side {
        Side::new(Role::Receiver)
    }

    fn new(role: Role) -> Side {
        Side {
            role,
            phase: Phase::Offered,
            said: 0,
            heard: 0,
            asked: 0,
            supplied: 0,
            rounds: 0,
        }
    }

    /// Whether this side may say it now.
    pub fn may_say(&self, verb: Verb) -> Result<(), HandoverRefusal> {
        let now = match verb {
            Verb::PassOn => false,
            Verb::Reopen => matches!(self.phase, Phase::Answered | Phase::Closed),
            Verb::Close => self.phase == Phase::Answered,
            Verb::Accept => self.phase == Phase::Offered,
            Verb::Supply | Verb::Withdraw | Verb::Return | Verb::Ask | Verb::Progress | Verb::Answer => {
                self.phase.is_with_receiver()
            }
        };
        if verb.speaker() != self.role {
            return Err(HandoverRefusal::NotYours);
        }
        if now { Ok(()) } else { Err(HandoverRefusal::NotNow) }
    }

    /// Says it: how the side stands then, and the message.
    pub fn say(mut self, verb: Verb) -> Result<(Side, Said), HandoverRefusal> {
        self.may_say(verb)?;
        let said = self.utter(verb);
        Ok((self, said))
    }

    fn utter(&mut self, verb: Verb) -> Said {
        self.said += 1;
        let said = Said {
            verb,
            seq: self.said,
            heard: self.heard,
        };
        self.note(said);
        said
    }

    /// Hears a message of the other side.
    pub fn hear(mut self, said: Said) -> Hearing {
        let first = said.seq == 1 && said.verb.speaker() == Role::Origin;
        if said.verb.speaker() == self.role || first != (said.verb == Verb::PassOn) || said.heard > self.said {
            return Hearing::Impossible;
        }
        if said.seq <= self.heard {
            return Hearing::Again;
        }
        if said.seq != self.heard + 1 {
            return Hearing::Early {
                expected: self.heard + 1,
            };
        }
        self.heard += 1;
        self.note(said);
        Hearing::New(self)
    }

    fn note(&mut self, said: Said) {
        match said.verb {
            Verb::Ask => self.asked = self.asked.max(said.seq),
            Verb::Supply => self.supplied = self.supplied.max(said.heard),
            Verb::Reopen if matches!(self.phase, Phase::Answered | Phase::Closed) => self.rounds += 1,
            _ => {}
        }
        self.phase = self.phase.after(said.verb);
    }

    /// Whether the receiver waits for the origin to supply something.
    pub fn asks(&self) -> bool {
        self.phase.is_with_receiver() && self.asked > self.supplied
    }

    /// Whether the two sides know the same.
    pub fn agrees(&self, other: &Side) -> bool {
        let common = |side: &Side| (side.phase, side.asked, side.supplied, side.rounds);
        self.role != other.role && common(self) == common(other) && self.said == other.heard && self.heard == other.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One step of the world: somebody says something, or a message arrives, is lost, arrives twice.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Say { origin: bool, verb: usize },
        Deliver { origin: bool, which: usize, keep: bool },
        Lose { origin: bool, which: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (any::<bool>(), 0..Verb::ALL.len()).prop_map(|(origin, verb)| Step::Say { origin, verb }),
            (any::<bool>(), 0..64usize, any::<bool>()).prop_map(|(origin, which, keep)| Step::Deliver {
                origin,
                which,
                keep
            }),
            (any::<bool>(), 0..64usize).prop_map(|(origin, which)| Step::Lose { origin, which }),
        ]
    }

    /// A platform with its log of what it said, and what is on its way to it.
    struct Platform {
        side: Side,
        log: Vec<Said>,
        coming: Vec<Said>,
        applied: Vec<Verb>,
    }

    impl Platform {
        fn hears(&mut self, said: Said) {
            match self.side.hear(said) {
                Hearing::New(side) => {
                    self.side = side;
                    self.applied.push(said.verb);
                }
                Hearing::Again | Hearing::Early { .. } => {}
                Hearing::Impossible => panic!("{said:?} at {:?}", self.side),
            }
        }
    }

    fn run(steps: Vec<Step>) -> [Platform; 2] {
        let (side, first) = Side::pass_on();
        let platform = |side, log: &[Said], coming: &[Said]| Platform {
            side,
            log: log.to_vec(),
            coming: coming.to_vec(),
            applied: Vec::new(),
        };
        let mut both = [platform(side, &[first], &[]), platform(Side::receiver(), &[], &[first])];
        for step in steps {
            match step {
                Step::Say { origin, verb } => {
                    let at = usize::from(!origin);
                    // The receiver knows nothing of it before it was told.
                    if both[at].side.said + both[at].side.heard == 0 {
                        continue;
                    }
                    if let Ok((side, said)) = both[at].side.say(Verb::ALL[verb]) {
                        both[at].side = side;
                        both[at].log.push(said);
                        both[1 - at].coming.push(said);
                    }
                }
                Step::Deliver { origin, which, keep } => {
                    let to = &mut both[usize::from(!origin)];
                    if to.coming.is_empty() {
                        continue;
                    }
                    let which = which % to.coming.len();
                    let said = to.coming[which];
                    if !keep {
                        to.coming.swap_remove(which);
                    }
                    to.hears(said);
                }
                Step::Lose { origin, which } => {
                    let to = &mut both[usize::from(!origin)];
                    if !to.coming.is_empty() {
                        let which = which % to.coming.len();
                        to.coming.swap_remove(which);
                    }
                }
            }
        }
        // In the end everything that was said is sent again until it is heard.
        for at in [0, 1] {
            for said in both[at].log.clone() {
                both[1 - at].hears(said);
            }
        }
        both
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

        #[test]
        fn both_sides_agree_once_each_has_heard_the_other(steps in proptest::collection::vec(step(), 0..60)) {
            let [origin, receiver] = run(steps);
            prop_assert!(origin.side.agrees(&receiver.side), "{:?}\n{:?}", origin.side, receiver.side);
            let said = |p: &Platform| p.log.iter().map(|said| said.verb).collect::<Vec<_>>();
            prop_assert_eq!(&origin.applied, &said(&receiver), "each once, in order");
            prop_assert_eq!(&receiver.applied, &said(&origin));
        }
    }

    #[test]
    fn words_are_their_own_inverse() {
        assert!(Verb::ALL.iter().all(|verb| Verb::from_key(verb.key()) == Some(*verb)));
        assert!(
            Phase::ALL
                .iter()
                .all(|phase| Phase::from_key(phase.key()) == Some(*phase))
        );
        assert_eq!(Role::from_key("in"), Some(Role::Receiver));
    }

    #[test]
    fn a_withdrawal_wins_over_an_answer_it_crosses() {
        let (origin, first) = Side::pass_on();
        let Hearing::New(receiver) = Side::receiver().hear(first) else {
            panic!()
        };
        let (origin, withdraw) = origin.say(Verb::Withdraw).unwrap();
        let (receiver, answer) = receiver.say(Verb::Answer).unwrap();
        let Hearing::New(origin) = origin.hear(answer) else {
            panic!()
        };
        let Hearing::New(receiver) = receiver.hear(withdraw) else {
            panic!()
        };
        assert!(origin.agrees(&receiver));
        assert_eq!(origin.phase, Phase::Withdrawn);
        assert_eq!(origin.say(Verb::Reopen), Err(HandoverRefusal::NotNow));
    }

    #[test]
    fn a_question_stands_until_something_is_supplied_that_knew_of_it() {
        let (origin, first) = Side::pass_on();
        let Hearing::New(receiver) = Side::receiver().hear(first) else {
            panic!()
        };
        // More is supplied while the question is on its way: it was no answer to it.
        let (origin, early) = origin.say(Verb::Supply).unwrap();
        let (receiver, ask) = receiver.say(Verb::Ask).unwrap();
        let Hearing::New(origin) = origin.hear(ask) else {
            panic!()
        };
        let Hearing::New(receiver) = receiver.hear(early) else {
            panic!()
        };
        assert!(origin.asks() && receiver.asks());
        let (origin, supply) = origin.say(Verb::Supply).unwrap();
        let Hearing::New(receiver) = receiver.hear(supply) else {
            panic!()
        };
        assert!(!origin.asks() && !receiver.asks());
        assert!(origin.agrees(&receiver));
    }

    #[test]
    fn what_cannot_have_been_said_is_told_apart_from_what_came_early() {
        let (_, first) = Side::pass_on();
        let receiver = Side::receiver();
        let later = Said {
            verb: Verb::Withdraw,
            seq: 2,
            heard: 0,
        };
        assert_eq!(receiver.hear(later), Hearing::Early { expected: 1 });
        assert_eq!(receiver.hear(Said { seq: 2, ..first }), Hearing::Impossible);
        assert_eq!(receiver.hear(Said { heard: 1, ..first }), Hearing::Impossible);
        assert_eq!(
            receiver.hear(Said {
                verb: Verb::Accept,
                ..first
            }),
            Hearing::Impossible
        );
    }
}
