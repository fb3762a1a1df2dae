import { topicGroup } from "./topic.js";

/** Music, stage, pictures and words. */
export const arts = topicGroup("arts", {
  instruments: {
    phrase: "musical instruments",
    entities:
      "violin guitar piano flute trumpet cello drum harp clarinet saxophone trombone tuba banjo mandolin ukulele accordion harmonica oboe bassoon xylophone viola organ piccolo bagpipe tambourine synthesizer",
    verbs: "play tune practice hear borrow",
    adjectives: "loud melodic mellow classical gentle",
    things: "concert song melody orchestra stage",
  },
  dance: {
    phrase: "dance",
    entities:
      "*ballet *tango *waltz *samba *foxtrot *flamenco *rumba *polka *jive *mambo *quickstep *breakdancing *zumba pirouette plie tutu ballerina choreographer arabesque *minuet *bolero *charleston *cancan",
    verbs: "practice teach perform watch learn",
    adjectives: "graceful rhythmic elegant lively slow",
    things: "stage partner rhythm ballroom floor",
  },
  painting: {
    entities:
      "canvas easel palette paintbrush watercolor fresco mural portrait pastel *charcoal *gouache acrylic triptych *pigment *turpentine collage stencil *graffiti etching lithograph *impressionism *cubism *surrealism masterpiece",
    verbs: "admire hang copy study buy",
    adjectives: "colorful bright abstract delicate vivid",
    things: "museum wall studio artist exhibition",
  },
  theatre: {
    entities:
      "actor actress playwright monologue soliloquy curtain prop costume rehearsal audition understudy puppet marionette pantomime tragedy comedy farce melodrama *improv usher spotlight matinee *greasepaint",
    verbs: "watch direct praise perform review",
    adjectives: "dramatic funny lively tragic brilliant",
    things: "stage audience scene applause script",
  },
  photography: {
    entities:
      "camera lens tripod shutter aperture flash darkroom snapshot selfie polaroid viewfinder zoom closeup panorama lightbox photographer daguerreotype flashbulb fisheye timelapse slideshow megapixel",
    verbs: "adjust use buy clean borrow",
    adjectives: "blurry sharp bright digital expensive",
    things: "photo album studio light memory",
  },
  poetry: {
    entities:
      "sonnet haiku limerick ballad stanza couplet rhyme metaphor simile elegy ode villanelle pentameter *alliteration quatrain refrain epigram acrostic sestina tercet poet laureate canto",
    verbs: "write read recite translate admire",
    adjectives: "lyrical sad romantic clever short",
    things: "poem page line word book",
  },
});
