// Answers as sentences. Every sentence comes from page.json, which the build writes from the app's own.

const filled = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const joined = (names, last) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")}${last}${names.at(-1)}`);

/** The answer as a sentence, as Python's `Answer.sentence`. */
export function sentenceOf(answer, page) {
  const {sentences} = page;
  if (answer.status === "unknown") return refusal(answer, sentences);
  if (answer.status === "unsure") return answer.group ? groupSentence(answer.group, page) : unsure(answer, page);
  const name = page.names[answer.top[0].label];
  return filled(answer.almost_certain ? sentences.almost_certain : sentences.probable, {name});
}

function refusal({reason, footwear_type: type}, sentences) {
  if (reason === "not_footwear") return sentences.no_shoe;
  if (reason === null) return sentences.unlike;
  return type ? filled(sentences.other_type, {type: type.toLowerCase()}) : sentences.other_shoe;
}

function groupSentence({name, members}, {groups, sentences}) {
  const short = members.map(member => groups[name].members[member]);
  return filled(sentences.group, {group: groups[name].title, members: joined(short, sentences.or)});
}

function unsure({top}, {rules, sentences}) {
  const names = [];
  let total = 0;
  for (const {label, probability} of top.slice(0, rules.most_named)) {
    names.push(label);
    total += probability;
    if (total >= rules.named_probability && names.length > 1) break;
  }
  return filled(sentences.unsure, {names: joined(names, sentences.or)});
}

/** How often answers of this confidence are right. */
export function confidenceOf(answer, page) {
  const {confidence, rules} = page;
  const times = chance => Math.min(Math.max(Math.round(chance * 100), 1), rules.most_in_100);
  if (answer.reason === "not_footwear") return confidence.no_shoe;
  if (answer.reason === "other_footwear") return filled(confidence.other_footwear, {names: answer.look_alikes.join(", ")});
  if (answer.status === "unknown") return confidence.unlike;
  if (answer.group) return filled(confidence.group, {times: times(answer.group.probability)});
  return filled(confidence[answer.status], {times: times(answer.top[0].probability), sneakers: page.sneakers});
}

/** The word on the badge above the sentence. */
export const badgeOf = (answer, page) =>
  answer.status === "known" && !answer.almost_certain ? page.badges.probable : page.badges[answer.status];

/** A probability in words; never 0% and never 100%, because no model is ever certain. */
export function percent(probability) {
  const whole = Math.round(100 * probability);
  return whole === 0 ? "<1%" : whole === 100 ? ">99%" : `${whole}%`;
}

/** The finding of the bars, in one line. */
export function findingOf({status, top: [best, second]}, {findings, rules}) {
  const [first, other, share] = [best.label, second?.label, percent(best.probability)];
  const values = {first, second: other, share};
  if (!second) return filled(findings.only, values);
  if (best.probability < rules.far * second.probability) return filled(findings.close, values);
  return filled(status === "known" ? findings.far : findings.ahead, values);
}
