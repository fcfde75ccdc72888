package dev.apus.core.tokenizer;

import java.text.Normalizer;
import java.util.List;

/** Rewrites a text before it is cut. */
interface TextNormalizer {

  String apply(String text);

  static TextNormalizer read(Section section) {
    return switch (section.type()) {
      case "Sequence" -> {
        List<TextNormalizer> steps =
            section.only("type", "normalizers").each("normalizers", TextNormalizer::read);
        yield text -> {
          for (TextNormalizer step : steps) {
            text = step.apply(text);
          }
          return text;
        };
      }
      case "NFC" -> unicode(section, Normalizer.Form.NFC);
      case "NFD" -> unicode(section, Normalizer.Form.NFD);
      case "NFKC" -> unicode(section, Normalizer.Form.NFKC);
      case "NFKD" -> unicode(section, Normalizer.Form.NFKD);
      case "Prepend" -> {
        String prefix = section.only("type", "prepend").text("prepend");
        yield text -> text.isEmpty() ? text : prefix + text;
      }
      case "Replace" -> {
        SafePattern pattern =
            SafePattern.read(section.only("type", "pattern", "content").child("pattern"));
        String content = section.text("content");
        yield text -> pattern.replace(text, content);
      }
      case "Lowercase" -> {
        section.only("type");
        yield BertNormalizer::lowercase;
      }
      case "StripAccents" -> {
        section.only("type");
        yield BertNormalizer::withoutMarks;
      }
      case "BertNormalizer" -> BertNormalizer.read(section);
      case "Precompiled" -> Precompiled.read(section);
      case "Strip" -> strip(section);
      case "ByteLevel" -> {
        section.only("type");
        yield ByteAlphabet::spell;
      }
      default ->
          throw section.unsupported(
              "Sequence",
              "NFC",
              "NFD",
              "NFKC",
              "NFKD",
              "Prepend",
              "Replace",
              "Lowercase",
              "StripAccents",
              "BertNormalizer",
              "Precompiled",
              "Strip",
              "ByteLevel");
    };
  }

  private static TextNormalizer strip(Section section) {
    section.only("type", "strip_left", "strip_right");
    boolean left = section.flag("strip_left", true);
    boolean right = section.flag("strip_right", true);
    return text -> {
      int from = left ? Characters.spacesAfter(text, 0) : 0;
      int to = right ? Characters.spacesBefore(text, from, text.length()) : text.length();
      return text.substring(from, to);
    };
  }

  private static TextNormalizer unicode(Section section, Normalizer.Form form) {
    section.only("type");
    return new UnicodeForm(form);
  }
}
