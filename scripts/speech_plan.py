"""What `build_speech.py` lets be said, by whom and how: words, sentences, speakers and rules of prosody."""

from typing import NamedTuple


class Speaker(NamedTuple):
    """A synthetic voice: a variant's formants, pitch and breath with an accent's vowels."""

    accent: str
    variant: str

    @property
    def name(self) -> str:
        return f"{self.accent.removeprefix('en-')}-{self.variant}"

    @property
    def voice(self) -> str:
        """What eSpeak NG is to be asked for. It has British English as `en`, and of `en-gb` it drops the
        variant."""
        return f"{'en' if self.accent == 'en-gb' else self.accent}+{self.variant}"


class Prosody(NamedTuple):
    """How something is said, against how the speaker says it plainly: numbers for SSML, in percent.

    `pitch` is a change, `range` (of the melody) and `rate` are parts of the plain ones, `volume` is out of
    100. `jitter` is how far pitch, range and rate stray at random, either way, from one clip to the next.
    """

    pitch: int
    range: int
    rate: int
    volume: int
    jitter: int = 0


SPEAKERS = (
    Speaker("en-us", "m1"),
    Speaker("en-gb", "f1"),
    Speaker("en-gb-scotland", "m3"),
    Speaker("en-us", "f2"),
    Speaker("en-gb", "m4"),
    Speaker("en-gb-scotland", "f4"),
    Speaker("en-us", "m7"),
    Speaker("en-gb-x-rp", "f3"),
    Speaker("en-gb-x-rp", "m2"),
    Speaker("en-us", "f5"),
)

PLAIN = Prosody(0, 100, 100, 100)
TONES = {
    "warm": Prosody(20, 190, 112, 100, 8),
    "cold": Prosody(-12, 15, 82, 75, 8),
}
PROSODIES = {
    "calm": Prosody(0, 70, 90, 80, 6),
    "happy": Prosody(35, 200, 115, 100, 6),
    "sad": Prosody(-25, 5, 72, 60, 6),
    "angry": Prosody(-5, 110, 145, 100, 6),
    "surprised": Prosody(90, 250, 95, 95, 6),
}

# Names of drawings, parted by commas.
WORDS = (
    "gorilla, poodle, wolf, fox, cat, tiger, leopard, horse, deer, pig, goat, camel, elephant, rhinoceros, "
    "mouse, rabbit, "
    "chipmunk, koala, turkey, rooster, penguin, eagle, owl, crocodile, turtle, lizard, snake, dragon, "
    "dolphin, octopus, "
    "crab, squid, butterfly, spider, scorpion, cactus, mushroom, watermelon, lemon, banana, pineapple, "
    "strawberry, tomato, avocado, eggplant, potato, carrot, cucumber, peanuts, croissant, hamburger, pizza, "
    "burrito, "
    "popcorn, spaghetti, sushi, doughnut, cookie, lollipop, volcano, stadium, hospital, church, fountain, "
    "roller coaster, ambulance, taxi, bus, tractor, motorcycle, bicycle, anchor, sailboat, canoe, "
    "helicopter, rocket, "
    "satellite, alarm clock, thermometer, tornado, rainbow, umbrella, snowflake, fire, balloon, trophy, "
    "baseball, "
    "american football, tennis, badminton, joystick, glasses, necktie, jeans, kimono, bikini, backpack, "
    "crown, "
    "lipstick, megaphone, headphone, radio, saxophone, trumpet, guitar, violin, drum, telephone, battery, "
    "printer, "
    "keyboard, television, camera, candle, light bulb, newspaper, envelope, pencil, crayon, briefcase, "
    "calendar, "
    "scissors, hammer, dagger, shield, microscope"
)

# Pairs in one frame, so that nothing but the words' own sentiment tells the two apart.
PAIRS = (
    ("The soup is delicious.", "The soup is disgusting."),
    ("What a wonderful holiday.", "What a miserable holiday."),
    ("Your singing is beautiful.", "Your singing is painful."),
    ("The film was brilliant.", "The film was dreadful."),
    ("They gave us a great room.", "They gave us a filthy room."),
    ("I love this garden.", "I hate this garden."),
    ("That was a clever answer.", "That was a stupid answer."),
    ("My doctor is very kind.", "My doctor is very rude."),
    ("The bus is always punctual.", "The bus is always late."),
    ("She is an honest friend.", "She is a false friend."),
    ("This chair is comfortable.", "This chair is broken."),
    ("The weather is perfect.", "The weather is horrible."),
    ("He plays the piano superbly.", "He plays the piano terribly."),
    ("Our team won the match.", "Our team lost the match."),
    ("The teacher praised me.", "The teacher insulted me."),
    ("The coffee smells heavenly.", "The coffee smells foul."),
    ("Her speech was inspiring.", "Her speech was boring."),
    ("The party is a success.", "The party is a disaster."),
    ("These shoes look gorgeous.", "These shoes look hideous."),
    ("The neighbours are friendly.", "The neighbours are nasty."),
    ("I enjoyed every minute.", "I suffered every minute."),
    ("The puppy is healthy again.", "The puppy is sick again."),
    ("We had an excellent guide.", "We had an awful guide."),
    ("The water is clean here.", "The water is poisonous here."),
    ("Dinner was a delight.", "Dinner was a nightmare."),
    ("His jokes are hilarious.", "His jokes are offensive."),
    ("The lawyer saved us.", "The lawyer cheated us."),
    ("That painting is a masterpiece.", "That painting is trash."),
    ("I feel fantastic this morning.", "I feel wretched this morning."),
    ("The new phone works flawlessly.", "The new phone crashes constantly."),
    ("The children were polite.", "The children were cruel."),
    ("It was a lovely wedding.", "It was a sad wedding."),
    ("The nurse was gentle.", "The nurse was careless."),
    ("Your letter made me happy.", "Your letter made me angry."),
    ("The bread is fresh.", "The bread is rotten."),
    ("The hotel exceeded our hopes.", "The hotel ruined our stay."),
    ("This song is marvellous.", "This song is unbearable."),
    ("I admire that politician.", "I despise that politician."),
    ("The driver was careful.", "The driver was reckless."),
    ("My sister passed the exam.", "My sister failed the exam."),
    ("The view is stunning.", "The view is ugly."),
    ("You are a generous host.", "You are a greedy host."),
    ("The medicine helped a lot.", "The medicine hurt a lot."),
    ("The cake tastes amazing.", "The cake tastes revolting."),
    ("Paris was magical.", "Paris was disappointing."),
    ("The staff were helpful.", "The staff were useless."),
    ("It is a charming village.", "It is a dismal village."),
    ("This book is fascinating.", "This book is worthless."),
    ("The plan is a good one.", "The plan is a bad one."),
    ("We trust the pilot completely.", "We fear the pilot completely."),
    ("The rescue was a triumph.", "The rescue was a failure."),
    ("The baby slept peacefully.", "The baby cried desperately."),
    ("I am proud of my work.", "I am ashamed of my work."),
    ("The price is a bargain.", "The price is a swindle."),
    ("The actor gave a splendid show.", "The actor gave a pathetic show."),
    ("Grandmother is cheerful today.", "Grandmother is lonely today."),
    ("The road is safe at night.", "The road is dangerous at night."),
    ("Peace came to the country.", "War came to the country."),
    ("That colour suits you nicely.", "That colour suits you badly."),
    ("The repair was first rate.", "The repair was a fraud."),
)

NEUTRAL = (
    "The train leaves at nine.",
    "There is a box on the table.",
    "He went to the other office.",
    "The number is on the door.",
    "They are coming on Monday.",
    "I put the keys in the drawer.",
    "She read it on the way home.",
    "It is the second street.",
    "We have four more chairs.",
    "The window faces the river.",
    "You left your coat upstairs.",
    "The shop opens in an hour.",
)

WORD_SPEED, SENTENCE_SPEED = 160, 205  # words a minute, at a rate of 100
WORD_SPEAKERS = SPEAKERS[:8]
PROSODY_SPEAKERS = SPEAKERS
# Pair number i is said by the speakers number i + 0, 1, 3 and 6 (modulo 10): each speaker says as many pairs
# as any other.
PAIR_OFFSETS = (0, 1, 3, 6)
