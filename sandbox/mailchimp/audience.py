"""The one audience: its members, its merge fields, its tags."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from sandbox.mailchimp.records import Member, MergeField, Segment, address_hash, stamp
from sandbox.mailchimp.troubles import Trouble

STANDARD_FIELDS = (
    MergeField(1, "FNAME", "First Name", "text", public=True),
    MergeField(2, "LNAME", "Last Name", "text", public=True),
    MergeField(3, "AGE", "Age group", "text"),
    MergeField(4, "INCOME", "Household income", "text"),
)
FIRST_TAG_ID = 4_788_452


class Audience:
    """Members are kept by contact id and found by contact id, address or hash of the address."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.forgotten: set[str] = set()
        """Hashes of addresses that were permanently deleted."""
        self.everywhere: set[str] = set()
        """Hashes of addresses that signed up to many lists of other accounts lately."""
        self.fields: dict[str, MergeField] = {field.tag: field for field in STANDARD_FIELDS}
        self.segments: dict[int, Segment] = {}
        self.troubles: dict[str, Trouble] = {}
        """What stands in the way of writing, by contact id."""
        self.started: Counter[str] = Counter()
        """How many members an automation that begins with this tag would have been started for."""
        self._by_hash: dict[str, Member] = {}
        self._next_tag_id = FIRST_TAG_ID
        self._next_merge_id = len(STANDARD_FIELDS) + 1

    def find(self, key: str) -> Member | None:
        """The member with this contact id, address (any case) or hash of the address."""
        return self.members.get(key) or self._by_hash.get(address_hash(key) if "@" in key else key.lower())

    def trouble_of(self, email: str) -> Trouble | None:
        """What stands in the way of writing to the member with this address, if anything."""
        member = self.find(email) if "@" in email else None
        return self.troubles.get(member.contact_id) if member else None

    def add(self, member: Member) -> None:
        """Take in a new member; ValueError when the address is taken."""
        if member.id in self._by_hash:
            raise ValueError(f"{member.email} is already a list member")
        self.members[member.contact_id] = member
        self._by_hash[member.id] = member

    def readdress(self, member: Member, email: str) -> None:
        """Change a member's address, and with it the hash; ValueError when another member has it."""
        if self._by_hash.get(address_hash(email), member) is not member:
            raise ValueError(f"{email} is already a list member")
        del self._by_hash[member.id]
        member.email = email
        self._by_hash[member.id] = member

    def forget(self, member: Member) -> None:
        """Delete for good: the address cannot be imported again."""
        self.forgotten.add(member.id)
        del self._by_hash[member.id], self.members[member.contact_id]

    def add_field(self, field: MergeField) -> MergeField:
        """Add a column; its `merge_id` is given here."""
        field.merge_id, self._next_merge_id = self._next_merge_id, self._next_merge_id + 1
        field.tag = field.tag or f"MMERGE{field.merge_id}"
        self.fields[field.tag] = field
        return field

    def drop_field(self, field: MergeField) -> None:
        """Remove a column and its values."""
        del self.fields[field.tag]
        for member in self.members.values():
            member.merge.pop(field.tag, None)

    def segment_named(self, name: str) -> Segment | None:
        """The tag of this name, in any case."""
        return next((s for s in self.segments.values() if s.name.casefold() == name.casefold()), None)

    def add_segment(self, name: str, now: datetime) -> Segment:
        """Create an empty tag."""
        segment = Segment(self._next_tag_id, name, stamp(now), stamp(now))
        self._next_tag_id += 4
        self.segments[segment.id] = segment
        return segment

    def drop_segment(self, segment: Segment, now: datetime) -> None:
        """Delete a tag and take it off everyone, archived members too."""
        for member in self.members.values():
            self.untag(member, segment, now)
        del self.segments[segment.id]

    def tagged(self, segment: Segment) -> Iterator[Member]:
        """Everyone who has the tag, archived members left out."""
        return (m for m in self.members.values() if segment.id in m.tags and m.status != "archived")

    def tag(self, member: Member, segment: Segment, now: datetime, *, silent: bool = False) -> bool:
        """Add a tag; False when it was there already (then nothing moves). `silent` starts no automation."""
        if segment.id in member.tags:
            return False
        self.started[segment.name] += not silent
        member.tags[segment.id] = stamp(now)
        member.last_changed = segment.updated_at = stamp(now)
        return True

    def untag(self, member: Member, segment: Segment, now: datetime) -> bool:
        """Take a tag off; False when it was not there (then nothing moves)."""
        if member.tags.pop(segment.id, None) is None:
            return False
        member.last_changed = segment.updated_at = stamp(now)
        return True

    def retag(self, member: Member, names: Iterable[str], now: datetime) -> None:
        """Make `names` the only tags of a member: everything else it had is lost."""
        wanted = [self.segment_named(name) or self.add_segment(name, now) for name in dict.fromkeys(names)]
        for segment in [self.segments[id_] for id_ in member.tags]:
            if segment not in wanted:
                self.untag(member, segment, now)
        for segment in wanted:
            self.tag(member, segment, now)
