"""What an administrator enters to make our merge fields and tags by hand."""

import json
from collections.abc import Sequence
from typing import Any

_README = """\
The merge fields and tags that foretag writes
=============================================

Make these in every audience foretag works with.

Merge fields: Audience, Settings, Audience fields and merge tags. Visible to subscribers: no. Required: no.
merge-fields.json holds each as the body of POST /3.0/lists/LIST/merge-fields.

{fields}

Tags: Audience, Tags, Create tag.

{tags}

foretag doctor says whether anything is missing.
"""


def package(merge_fields: Sequence[dict[str, Any]], tags: Sequence[str]) -> dict[str, str]:
    """File name to text, for merge fields as Mailchimp is told to make them and the names of tags."""
    lines = "\n".join(f"{each['tag']:<12} {each['type']:<8} {each['name']}" for each in merge_fields)
    return {
        "README.txt": _README.format(fields=lines, tags="\n".join(tags)),
        "merge-fields.json": json.dumps(list(merge_fields), indent=2, ensure_ascii=False) + "\n",
    }
