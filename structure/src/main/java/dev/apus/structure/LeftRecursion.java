package dev.apus.structure;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds rules that begin with themselves, and so could be begun without end. */
final class LeftRecursion {

  private final Map<String, GrammarParser.Rule> rules;
  private final Set<String> nullable = new HashSet<>();
  private final Set<String> done = new HashSet<>();
  private final Set<String> way = new LinkedHashSet<>();

  private LeftRecursion(Map<String, GrammarParser.Rule> rules) {
    this.rules = rules;
    boolean learning = true;
    while (learning) {
      learning = false;
      for (GrammarParser.Rule rule : rules.values()) {
        learning |= isNullable(rule.body()) && nullable.add(rule.name());
      }
    }
  }

  /**
   * Makes sure that there are none.
   *
   * @throws StructureException with the line of one
   */
  static void refuse(Map<String, GrammarParser.Rule> rules) {
    LeftRecursion search = new LeftRecursion(rules);
    rules.keySet().forEach(search::visit);
  }

  private void visit(String name) {
    if (done.contains(name)) {
      return;
    }
    if (!way.add(name)) {
      List<String> circle = new ArrayList<>(way);
      circle = new ArrayList<>(circle.subList(circle.indexOf(name), circle.size()));
      circle.add(name);
      throw new StructureException(
          "the grammar, line "
              + rules.get(name).line()
              + ": the rule "
              + name
              + " begins with itself ("
              + String.join(" → ", circle)
              + "); needed: a repetition, or the recursion at the end");
    }
    Set<String> firsts = new LinkedHashSet<>();
    firsts(rules.get(name).body(), firsts);
    firsts.forEach(this::visit);
    way.remove(name);
    done.add(name);
  }

  private boolean isNullable(Regex regex) {
    return switch (regex) {
      case Regex.Characters _ -> false;
      case Regex.Text text -> text.text().isEmpty();
      case Regex.Reference reference -> nullable.contains(reference.name());
      case Regex.Sequence sequence -> sequence.parts().stream().allMatch(this::isNullable);
      case Regex.Choice choice -> choice.alternatives().stream().anyMatch(this::isNullable);
      case Regex.Repetition repetition -> repetition.least() == 0 || isNullable(repetition.body());
      case Regex.Anchor _ -> true;
    };
  }

  /** The rules with which something may begin. */
  private void firsts(Regex regex, Set<String> into) {
    switch (regex) {
      case Regex.Reference reference -> into.add(reference.name());
      case Regex.Sequence sequence -> {
        for (Regex part : sequence.parts()) {
          firsts(part, into);
          if (!isNullable(part)) {
            return;
          }
        }
      }
      case Regex.Choice choice -> choice.alternatives().forEach(each -> firsts(each, into));
      case Regex.Repetition repetition -> firsts(repetition.body(), into);
      case Regex.Characters _, Regex.Text _, Regex.Anchor _ -> {
        // These begin with no rule.
      }
    }
  }
}
