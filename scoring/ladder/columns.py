"""What the rungs are told of the columns they learn from."""

from collections.abc import Iterable
from dataclasses import dataclass

from scoring.explain import grouped
from scoring.features import BEHAVIOUR, CLOCKS, DIRECTIONS, FEATURES, LIFETIME, PACES


@dataclass(frozen=True)
class Columns:
    """The columns of one training: what more of each may say, which belong together, which are not to be used."""

    names: tuple[str, ...] = FEATURES
    unused: tuple[int, ...] = ()
    own_horizons: bool = False
    """Whether people have horizons of their own: a slow pace then is no sign against buying within them."""

    @classmethod
    def of(cls, names: tuple[str, ...], quarantined: Iterable[int] = (), *, own_horizons: bool = False) -> "Columns":
        """The columns `names`; CLOCKS, LIFETIME and those in quarantine are not used."""
        unused = {*(names.index(name) for name in (*CLOCKS, *LIFETIME)), *quarantined}
        return cls(names, tuple(sorted(unused)), own_horizons)

    @property
    def directions(self) -> tuple[int, ...]:
        """Per column 1, -1 or 0: see `features.DIRECTIONS`. Extra columns may say either."""
        free = PACES if self.own_horizons else ()
        usual = (0 if name in free else direction for name, direction in zip(FEATURES, DIRECTIONS, strict=True))
        return (*usual, *(0 for _ in self.names[len(FEATURES) :]))

    @property
    def families(self) -> tuple[tuple[int, ...], ...]:
        """The places of each family's columns."""
        return tuple(tuple(self.names.index(name) for name in own) for own in grouped(self.names).values())

    @property
    def circles(self) -> tuple[tuple[int, ...], ...]:
        """Families a tree may ask in one go: what people bought when, as one; each other family by itself."""
        circles: dict[str, tuple[int, ...]] = {}
        for family, own in zip(grouped(self.names), self.families, strict=True):
            key = "behaviour" if family in BEHAVIOUR else family
            circles[key] = circles.get(key, ()) + own
        return tuple(circles.values())
