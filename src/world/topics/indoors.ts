import { topicGroup } from "./topic.js";

/** Games at the table, and what stands around it. */
export const indoors = topicGroup("indoors", {
  chess: {
    entities:
      "pawn rook bishop knight checkmate stalemate *castling gambit endgame grandmaster chessboard *zugzwang fianchetto middlegame *queenside *kingside chessman skewer *Kasparov *Carlsen outpost",
    verbs: "study attack defend sacrifice discuss",
    adjectives: "tactical clever risky patient weak",
    things: "board opponent tournament clock strategy",
  },
  "card-games": {
    entities:
      "*poker *blackjack *rummy *solitaire *whist *canasta *cribbage *baccarat *euchre *pinochle *roulette joker ace jackpot croupier casino bluff flush ante *pontoon *bezique",
    verbs: "try enjoy teach understand discuss",
    adjectives: "lucky risky clever tricky friendly",
    things: "card table game luck coin",
  },
  furniture: {
    entities:
      "sofa armchair bookcase cupboard dresser nightstand mattress footstool ottoman bookshelf sideboard recliner futon cabinet couch crib headboard chandelier beanbag bunkbed cot wardrobe",
    verbs: "move buy clean sell measure",
    adjectives: "wooden comfortable cozy antique heavy",
    things: "room bedroom floor corner lamp",
  },
  castles: {
    entities:
      "moat drawbridge dungeon turret battlement catapult portcullis fortress rampart trebuchet *jousting citadel parapet gatehouse stronghold palisade buttress longbow *chainmail gauntlet watchtower crossbow siege",
    verbs: "visit defend build explore draw",
    adjectives: "ancient medieval dark mighty ruined",
    things: "wall tower gate tour hill",
  },
  money: {
    entities:
      "mortgage loan pension invoice cheque *credit *debit dividend tax *inflation currency dollar euro piggybank wallet *bankruptcy accountant banker overdraft refund receipt debt banknote paycheck",
    verbs: "check manage understand discuss calculate",
    adjectives: "monthly risky large small official",
    things: "bank price payment budget coin",
  },
});
