import { topicGroup } from "./topic.js";

/** What people look up to. */
export const sky = topicGroup("sky", {
  space: {
    phrase: "outer space",
    entities:
      "galaxy comet asteroid nebula supernova quasar pulsar telescope astronaut rocket satellite meteor spacecraft spacesuit cosmonaut observatory eclipse exoplanet lander spacewalk wormhole meteorite starship",
    verbs: "study observe explore track describe",
    adjectives: "distant bright cosmic massive mysterious",
    things: "planet star sky universe mission",
  },
  astrology: {
    entities:
      "horoscope zodiac *Aries *Taurus *Gemini *Leo *Virgo *Libra *Scorpio *Sagittarius *Capricorn *Aquarius *Pisces ascendant birthchart sunsign moonsign astrologer *retrograde *tarot ephemeris decan trine *synastry",
    verbs: "read consult interpret study trust",
    adjectives: "mystical lucky cosmic emotional compatible",
    things: "sign star chart house birthday",
  },
  weather: {
    entities:
      "*rain *hail *fog *thunder *lightning *drizzle *sleet *mist storm hurricane tornado blizzard rainbow breeze cloud heatwave drought monsoon cyclone *humidity *sunshine forecast barometer",
    verbs: "predict watch expect measure enjoy",
    adjectives: "cold windy gray heavy sudden",
    things: "sky season umbrella temperature town",
  },
  mythology: {
    entities:
      "dragon unicorn phoenix centaur minotaur griffin mermaid troll elf goblin dwarf cyclops *Medusa *Zeus *Apollo *Athena *Odin *Thor *Hercules nymph werewolf vampire banshee sphinx hydra",
    verbs: "draw imagine fear describe follow",
    adjectives: "mythical ancient fierce mighty immortal",
    things: "legend myth hero temple cave",
  },
});
