import { topicGroup } from "./topic.js";

/** How people get about. */
export const travel = topicGroup("travel", {
  cars: {
    entities:
      "sedan coupe convertible hatchback limousine minivan pickup jeep taxi engine gearbox clutch windshield bumper radiator carburetor headlight dashboard odometer sunroof muffler axle hubcap seatbelt",
    verbs: "repair wash buy test inspect",
    adjectives: "fast reliable rusty expensive noisy",
    things: "road garage tire fuel mechanic",
  },
  trains: {
    entities:
      "locomotive carriage railway tram subway monorail conductor platform signalman turnstile caboose boxcar *freight railcar trolley viaduct junction stationmaster timetable funicular metro bogie",
    verbs: "find catch inspect photograph hear",
    adjectives: "crowded noisy punctual slow modern",
    things: "station passenger ticket journey rail",
  },
  aviation: {
    entities:
      "airplane helicopter glider jet biplane pilot cockpit runway propeller parachute airport hangar fuselage zeppelin airship seaplane stewardess copilot aileron *turbulence takeoff altimeter drone airliner",
    verbs: "watch inspect photograph test hear",
    adjectives: "fast loud supersonic silver heavy",
    things: "flight passenger journey airfield crew",
  },
});
