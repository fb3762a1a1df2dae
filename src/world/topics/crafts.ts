import { topicGroup } from "./topic.js";

/** Made by hand, and worn. */
export const crafts = topicGroup("crafts", {
  sewing: {
    entities:
      "needle thread thimble bobbin zipper button seam quilt *embroidery *crochet *knitting *yarn *lace *denim *velvet *satin *tweed spindle loom pincushion *patchwork tapestry hem",
    verbs: "mend measure fold buy use",
    adjectives: "soft woolen torn neat colorful",
    things: "fabric pattern sleeve pocket machine",
  },
  carpentry: {
    entities:
      "hammer chisel handsaw *sawdust *plywood drill screwdriver *sandpaper mallet nail screw wrench workbench dowel lathe clamp jigsaw *varnish bolt bracket toolbox crowbar veneer sander",
    verbs: "use sharpen borrow buy grip",
    adjectives: "sturdy wooden rusty heavy sharp",
    things: "workshop board shelf bench beam",
  },
  jewellery: {
    entities:
      "diamond ruby emerald sapphire pearl opal topaz amethyst necklace bracelet earring brooch tiara pendant locket cufflink garnet bangle anklet goldsmith carat gemstone aquamarine jeweller",
    verbs: "wear polish buy admire sell",
    adjectives: "shiny precious expensive rare elegant",
    things: "box gift clasp wedding crown",
  },
  clothing: {
    entities:
      "jacket shirt skirt sweater cardigan blouse hoodie scarf mitten sock sandal boot sneaker slipper beret turban tuxedo blazer waistcoat raincoat kimono sarong bikini necktie",
    verbs: "wear wash buy fold iron",
    adjectives: "soft warm stylish baggy woolen",
    things: "closet sleeve pocket shop hanger",
  },
});
