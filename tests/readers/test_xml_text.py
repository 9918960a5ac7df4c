"""XML as text: which elements can be left out."""

from __future__ import annotations

import pytest

from dglcell.readers.xml_text import without


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<a><n>1</n><n>2</n></a>", "<a></a>"),
        ("<a><n x='1'>\n<b/>\n</n >c</a>", "<a>\n\nc</a>"),
        ("<p:n>1</p:n><p:m/>", "<p:m/>"),
        ("<n/><b/><n>1</n>", "<n/><b/>"),
        ("<n x='1'/><b/><n>1</n>", "<n x='1'/><b/>"),
        ("<nn>1</nn>", "<nn>1</nn>"),
        ("<n><n>1</n></n>", "<n><n>1</n></n>"),
        ("<!-- <n> --><b/><n>1</n>", "<!-- <n> --><b/><n>1</n>"),
        ("<n><!-- </n> -->1</n>", "<n><!-- </n> -->1</n>"),
        ("<n><![CDATA[</n>]]></n>", "<n><![CDATA[</n>]]></n>"),
        ("<n>1", "<n>1"),
        ("<p:n>1</q:n>", "<p:n>1</q:n>"),
    ],
)
def test_plain_elements_are_left_out(text, rest):
    assert without(text, "n") == rest


def test_the_content_may_decide():
    assert without("<n>1</n><n>22</n>", "n", lambda content: len(content) == 1) == "<n>22</n>"
