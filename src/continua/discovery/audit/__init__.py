"""What a record can tell before anything is fitted: sampling, noise, columns, and whether there is a law to seek."""

from continua.discovery.audit.chance import random_walk_chance, white_noise_chance
from continua.discovery.audit.finding import Finding
from continua.discovery.audit.record import audit
from continua.discovery.audit.sampling import noise_level

__all__ = ["Finding", "audit", "noise_level", "random_walk_chance", "white_noise_chance"]
