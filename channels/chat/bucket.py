"""How fast one line may write: a token bucket."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`burst` at once, then `per_second`; times are seconds of a clock that only moves forward."""

    burst: float
    per_second: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> bool:
        """True if one more is allowed now."""
        if self.left < 0:
            self.left = self.burst
        else:
            self.left = min(self.burst, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
