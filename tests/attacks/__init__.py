"""A dishonest student, imagined: attacks on autograding as data, and what must hold after each of them."""
