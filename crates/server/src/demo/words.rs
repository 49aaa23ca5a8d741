//! Names for the fictional place: none of them is a real place of this combination, none a real person.

use super::lot::Lot;

/// Towns with their kind, and the communities of each.
pub const TOWNS: [(&str, &str, &str, [&str; 4]); 4] = [
    (
        "001",
        "望海门街道",
        "urban",
        ["海晏社区", "观潮社区", "钟楼社区", "临江社区"],
    ),
    (
        "002",
        "东浦街道",
        "urban",
        ["新港社区", "渔歌社区", "文昌社区", "映山社区"],
    ),
    (
        "100",
        "白沙屿镇",
        "rural",
        ["白沙屿村", "南岙湾村", "大浦头村", "沙塘里村"],
    ),
    ("101", "青礁镇", "rural", ["青礁村", "石门坑村", "龙尾湾村", "月牙岙村"]),
];

/// First to sixth.
pub const ORDINALS: [&str; 6] = ["一", "二", "三", "四", "五", "六"];

const ROADS: [&str; 12] = [
    "映月路",
    "海堤路",
    "渔港路",
    "望潮街",
    "灯塔路",
    "新码头路",
    "文昌街",
    "后山巷",
    "晒网场路",
    "青石弄",
    "滨海大道",
    "盐仓弄",
];
const ESTATES: [&str; 10] = [
    "听涛苑",
    "海棠新村",
    "金沙花园",
    "渔家新居",
    "兰桂小区",
    "东篱苑",
    "港湾名邸",
    "向阳新村",
    "碧波里",
    "安居苑",
];
const HAMLETS: [&str; 12] = [
    "上岙",
    "下岙",
    "后沙头",
    "石塘",
    "东山脚",
    "岭下",
    "大井头",
    "渡口",
    "樟树下",
    "外湾",
    "里湾",
    "盐厂",
];

/// What houses that stand together are called: a street in town, a natural village in the country.
pub fn group(rural: bool, lot: &mut Lot) -> &'static str {
    let names: &[&'static str] = if rural { &HAMLETS } else { &ROADS };
    names[lot.below(names.len())]
}

const FAMILY: [&str; 24] = [
    "陈", "林", "王", "张", "周", "徐", "郑", "胡", "朱", "沈", "傅", "叶", "夏", "方", "金", "邵", "虞", "乐", "柴",
    "应", "蔡", "顾", "庄", "俞",
];
const GIVEN: [&str; 40] = [
    "建国", "海燕", "志强", "丽娜", "晓东", "文静", "国平", "秀英", "永康", "佳琪", "立群", "春梅", "浩然", "雪芬",
    "振华", "思雨", "明辉", "玉兰", "家豪", "婷婷", "少华", "红霞", "俊杰", "美君", "宏伟", "亚萍", "子轩", "月芬",
    "德胜", "小芳", "东升", "慧敏", "良才", "素珍", "天宇", "凤仙", "宗岳", "爱菊", "一鸣", "芷若",
];

/// A person's name.
pub fn person(lot: &mut Lot) -> String {
    format!("{}{}", lot.pick(&FAMILY), lot.pick(&GIVEN))
}

/// A house in words, without the community before it.
pub fn house(lot: &mut Lot) -> String {
    let (road, number) = (*lot.pick(&ROADS), 1 + lot.below(180));
    if lot.below(2) == 0 {
        return format!("{road}{number}号");
    }
    let (estate, building) = (*lot.pick(&ESTATES), 1 + lot.below(24));
    format!("{road}{number}号{estate}{building}幢")
}
