"""The 51 ARKit weights: Apple's names, in alphabetical order, once each."""

from generator.arkit import EXPRESSIONS, INDEX
from generator.motion.motion import EXPRESSION_COLUMNS

SINGLE = {
    "browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel",
    "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper",
}  # fmt: skip
PAIRED = {
    "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut",
    "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress",
    "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
}  # fmt: skip


def test_the_weights_are_apples_without_the_tongue():
    assert set(EXPRESSIONS) == SINGLE | {f"{name}{side}" for name in PAIRED for side in ("Left", "Right")}
    assert len(EXPRESSIONS) == len(set(EXPRESSIONS)) == 51


def test_they_stand_in_alphabetical_order():
    assert list(EXPRESSIONS) == sorted(EXPRESSIONS)


def test_each_name_leads_to_its_column():
    assert [EXPRESSIONS[INDEX[name]] for name in EXPRESSIONS] == list(EXPRESSIONS)
    assert sorted(INDEX.values()) == list(range(51))
    assert range(*EXPRESSION_COLUMNS.indices(59)) == range(51)
