import { topicGroup } from "./topic.js";

/** Moving outdoors and in the gym. */
export const sports = topicGroup("sports", {
  "snow-sports": {
    entities:
      "*skiing *snowboarding *sledding *slalom *luge *biathlon *freestyle *skijoring *slopestyle *telemark *curling *heliskiing mogul snowboard ski sled toboggan bobsled snowshoe snowmobile chairlift halfpipe piste snowplow",
    verbs: "try enjoy practice master love",
    adjectives: "icy fast steep snowy thrilling",
    things: "slope resort helmet glove mountain",
  },
  football: {
    entities:
      "striker goalkeeper midfielder defender referee penalty dribble tackle goalpost winger kickoff crossbar linesman fullback playmaker substitute hooligan equalizer scoreline shinpad dugout sweeper touchline backheel",
    verbs: "watch praise coach study film",
    adjectives: "fast fierce muddy skilled loud",
    things: "match goal team stadium crowd",
  },
  "martial-arts": {
    entities:
      "*karate *judo *kickboxing *taekwondo *aikido *wrestling *fencing *sumo *jujitsu *kendo *capoeira *boxing *sparring kata uppercut jab roundhouse headlock dojo sensei blackbelt takedown chokehold knockout",
    verbs: "try practice teach master watch",
    adjectives: "fierce fast disciplined painful strong",
    things: "mat opponent gym stance belt",
  },
  cycling: {
    entities:
      "bicycle tricycle unicycle tandem pedal handlebar saddle spoke chainring derailleur velodrome peloton sprocket pannier wheelie kickstand crankset freewheel mudguard cyclist *bikepacking *cyclocross",
    verbs: "ride fix clean test enjoy",
    adjectives: "fast light rusty steep steady",
    things: "road wheel hill tire chain",
  },
  sailing: {
    entities:
      "yacht catamaran dinghy mast rudder keel jib spinnaker regatta sloop schooner ketch tiller hull bowsprit mainsail buoy canoe kayak raft rowboat ferry lifeboat gunwale",
    verbs: "steer repair launch inspect watch",
    adjectives: "swift salty windy sturdy wet",
    things: "harbor deck dock crew rope",
  },
  climbing: {
    entities:
      "carabiner *belay harness piton crampon *bouldering *mountaineering *abseiling rappel handhold foothold crag ridge cliff sherpa basecamp crevasse ledge overhang chalkbag ascender quickdraw mountaineer alpinist",
    verbs: "try check reach grip master",
    adjectives: "steep risky tall sturdy icy",
    things: "rope mountain peak helmet trail",
  },
  camping: {
    entities:
      "tent campfire hammock lantern backpack canteen campsite flashlight bonfire caravan *firewood thermos tarp tinderbox cooler campground bivouac hatchet poncho rucksack trailhead groundsheet",
    verbs: "pack carry use share find",
    adjectives: "cozy waterproof sturdy cold wild",
    things: "forest trail lake fire night",
  },
});
