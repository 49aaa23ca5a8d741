//! What somebody is to the householder 户主 (GB/T 4761, its ten groups).

/// Relation to the householder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    Householder,
    Spouse,
    Son,
    Daughter,
    Grandchild,
    Parent,
    Grandparent,
    Sibling,
    OtherRelative,
    NotRelated,
}

impl Relation {
    pub const ALL: [Relation; 10] = [
        Relation::Householder,
        Relation::Spouse,
        Relation::Son,
        Relation::Daughter,
        Relation::Grandchild,
        Relation::Parent,
        Relation::Grandparent,
        Relation::Sibling,
        Relation::OtherRelative,
        Relation::NotRelated,
    ];

    /// Stable key.
    pub fn key(self) -> &'static str {
        match self {
            Relation::Householder => "householder",
            Relation::Spouse => "spouse",
            Relation::Son => "son",
            Relation::Daughter => "daughter",
            Relation::Grandchild => "grandchild",
            Relation::Parent => "parent",
            Relation::Grandparent => "grandparent",
            Relation::Sibling => "sibling",
            Relation::OtherRelative => "other_relative",
            Relation::NotRelated => "not_related",
        }
    }

    pub fn from_key(key: &str) -> Option<Relation> {
        Relation::ALL.into_iter().find(|one| one.key() == key)
    }

    /// As lists write it; `None` for a word that is not known, which a person must then say.
    pub fn from_words(text: &str) -> Option<Relation> {
        let plain = crate::text::normalise(text);
        Some(match plain.as_str() {
            "户主" | "本人" | "0" | "01" | "02" => Relation::Householder,
            "配偶" | "夫" | "妻" | "丈夫" | "妻子" | "爱人" | "夫妻" | "10" | "11" | "12" => {
                Relation::Spouse
            }
            "子" | "儿子" | "长子" | "次子" | "三子" | "独生子" | "养子" | "继子" | "女婿" | "20" => {
                Relation::Son
            }
            "女" | "女儿" | "长女" | "次女" | "三女" | "独生女" | "养女" | "继女" | "儿媳" | "媳妇" | "30" => {
                Relation::Daughter
            }
            "孙子" | "孙女" | "外孙" | "外孙子" | "外孙女" | "孙" | "孙子女" | "孙子、孙女或外孙子、外孙女" | "40" => {
                Relation::Grandchild
            }
            "父" | "母" | "父亲" | "母亲" | "父母" | "公公" | "婆婆" | "岳父" | "岳母" | "50" | "51" | "52" => {
                Relation::Parent
            }
            "祖父" | "祖母" | "爷爷" | "奶奶" | "外祖父" | "外祖母" | "外公" | "外婆" | "祖父母" | "60" => {
                Relation::Grandparent
            }
            "兄" | "弟" | "姐" | "妹" | "哥哥" | "弟弟" | "姐姐" | "妹妹" | "兄弟" | "姐妹" | "兄弟姐妹" | "70" => {
                Relation::Sibling
            }
            "其他亲属" | "亲属" | "侄子" | "侄女" | "外甥" | "外甥女" | "叔" | "伯" | "姑" | "舅" | "姨" => {
                Relation::OtherRelative
            }
            "非亲属" | "租客" | "租户" | "房客" | "保姆" | "集体户成员" | "其他" | "99" => {
                Relation::NotRelated
            }
            _ => return Relation::from_key(&plain),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_words_are_read() {
        for one in Relation::ALL {
            assert_eq!(Relation::from_key(one.key()), Some(one));
            assert_eq!(Relation::from_words(one.key()), Some(one));
        }
        assert_eq!(Relation::from_words(" 户主 "), Some(Relation::Householder));
        assert_eq!(Relation::from_words("妻"), Some(Relation::Spouse));
        assert_eq!(Relation::from_words("邻居"), None);
    }
}
