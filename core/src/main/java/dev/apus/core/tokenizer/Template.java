package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;

/** The ids that stand before and after every text. */
record Template(int[] before, int[] after) {

  static final Template NONE = new Template(new int[0], new int[0]);

  static Template read(Section section, Vocabulary vocabulary) {
    return switch (section.type()) {
      case "Sequence" -> {
        Template all = NONE;
        section.only("type", "processors");
        for (Section each : section.children("processors")) {
          all = read(each, vocabulary).around(all);
        }
        yield all;
      }
      case "ByteLevel" -> {
        section.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        yield NONE;
      }
      case "TemplateProcessing" -> template(section, vocabulary);
      default -> throw section.unsupported("Sequence", "ByteLevel", "TemplateProcessing");
    };
  }

  private static Template template(Section section, Vocabulary vocabulary) {
    section.only("type", "single", "pair", "special_tokens");
    Ids before = new Ids();
    Ids after = new Ids();
    boolean textSeen = false;
    for (Section item : section.children("single")) {
      item.only("SpecialToken", "Sequence");
      if (item.has("SpecialToken")) {
        String name = item.child("SpecialToken").text("id");
        Section token = section.child("special_tokens").child(name);
        addIds(token, textSeen ? after : before, vocabulary);
      } else if (textSeen || !item.child("Sequence").text("id").equals("A")) {
        throw section.wrong("single", "one text, the sequence A");
      } else {
        textSeen = true;
      }
    }
    if (!textSeen) {
      throw section.wrong("single", "one text, the sequence A");
    }
    return new Template(before.toArray(), after.toArray());
  }

  private static void addIds(Section token, Ids ids, Vocabulary vocabulary) {
    JsonNode values = token.only("id", "ids", "tokens").node().path("ids");
    if (!values.isArray() || values.isEmpty()) {
      throw token.wrong("ids", "an array of ids");
    }
    for (JsonNode value : values) {
      if (!value.isInt() || value.intValue() < 0 || value.intValue() >= vocabulary.size()) {
        throw new TokenizerException(
            "%s holds %s; needed: ids below %d"
                .formatted(token.where("ids"), value, vocabulary.size()));
      }
      ids.add(value.intValue());
    }
  }

  private Template around(Template inner) {
    Ids all = new Ids();
    all.add(before);
    all.add(inner.before);
    Ids end = new Ids();
    end.add(inner.after);
    end.add(after);
    return new Template(all.toArray(), end.toArray());
  }
}
