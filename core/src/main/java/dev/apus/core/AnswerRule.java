package dev.apus.core;

import dev.apus.core.chat.AnswerForm;
import dev.apus.core.chat.ChatTemplate;
import dev.apus.core.generate.Constraint;
import dev.apus.core.generate.Sampling;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * What the answers of a conversation must be. Prompts open thoughts or do not, so that each turn
 * has a form of its own, mostly that of the turn before; what was made of it is kept.
 */
final class AnswerRule {

  private final BiFunction<ChatTemplate, String, AnswerForm> forms;
  private final Function<? super AnswerForm, ? extends Constraint> constraints;
  private AnswerForm last;
  private Constraint made;

  /**
   * @param forms by template and prompt
   * @param constraints makes a constraint of a form
   */
  AnswerRule(
      BiFunction<ChatTemplate, String, AnswerForm> forms,
      Function<? super AnswerForm, ? extends Constraint> constraints) {
    this.forms = forms;
    this.constraints = constraints;
  }

  /** Makes sure that there are answers of this rule. */
  AnswerRule checked(ChatTemplate template) {
    constraint(template, "");
    return this;
  }

  /**
   * A sampling of which the answer to a prompt is of this rule.
   *
   * @throws IllegalArgumentException if it has a constraint already
   */
  Sampling over(Sampling sampling, ChatTemplate template, String prompt) {
    if (sampling.constraint() != null) {
      throw new IllegalArgumentException(
          "the sampling has a constraint, "
              + sampling.constraint()
              + ", and the conversation's answers have a form, too; needed: one of the two");
    }
    return sampling.withConstraint(constraint(template, prompt));
  }

  private synchronized Constraint constraint(ChatTemplate template, String prompt) {
    AnswerForm form = forms.apply(template, prompt);
    if (!form.equals(last)) {
      made = constraints.apply(form);
      last = form;
    }
    return made;
  }
}
