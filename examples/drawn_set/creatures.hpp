// SPDX-License-Identifier: Apache-2.0
#pragma once

// The living things of the drawn set, seen from the side. What stands above each of them names its
// keypoints, which mean the same on every instance.

#include <cstdint>
#include <utility>

#include "builder.hpp"

namespace drawn_set {

// Nose, eye, ear tip, neck, shoulder, back, rump, tail tip, front paw, hind paw, front knee, hind
// knee.
inline void build_dog(Builder& b) {
  const std::int64_t long_ = b.size(270), thick = b.size(115), leg = b.size(270),
                     head = b.size(105);
  const Vec hip{-long_, 0}, chest{long_, 0};
  const auto swing = [&] { return b.pose.between(-280, 280); };
  const auto draw_leg = [&](Vec top, bool in_front) {
    const std::int64_t upper = 900 + swing(), lower = upper + b.pose.between(-250, 250);
    const Vec knee = away(top, leg / 2, upper), paw = away(knee, leg / 2, lower);
    const Shade colour = in_front ? b.coat.body : b.coat.dark;
    b.capsule(top, knee, thick * 5 / 10, thick * 4 / 10, colour, b.coat.dark);
    b.capsule(knee, paw, thick * 4 / 10, thick * 3 / 10, colour, b.coat.dark);
    b.capsule(paw, paw + Vec{40, 0}, thick * 3 / 10, thick * 3 / 10, b.coat.accent, b.coat.dark);
    return std::pair{knee, paw};
  };
  draw_leg(chest + Vec{-30, 50}, false);
  draw_leg(hip + Vec{30, 50}, false);
  const std::int64_t tail_angle = 2250 + b.pose.between(-400, 500);
  const Vec tail = away(hip + Vec{-40, -40}, b.size(230, 30), tail_angle);
  b.capsule(hip + Vec{-40, -40}, tail, thick * 4 / 10, thick / 6, b.coat.second, b.coat.dark,
            Texture::rings);
  b.capsule(hip, chest, thick * 11 / 10, thick * 13 / 10, b.coat.body, b.coat.second,
            b.coat.texture);
  const std::int64_t neck_angle = -500 + b.pose.between(-250, 350);
  const Vec neck = chest + Vec{30, -50};
  const Vec skull = away(neck, b.size(210), neck_angle);
  b.capsule(neck, skull, thick * 9 / 10, thick * 7 / 10, b.coat.body, b.coat.dark);
  const std::int64_t look = b.pose.between(-100, 350);
  const Vec nose = away(skull, head * 2, look);
  b.capsule(skull, nose, head, head * 4 / 10, b.coat.second, b.coat.body);
  b.ellipse(nose, head * 3 / 10, head * 3 / 10, 0, {25, 22, 22}, {25, 22, 22}, Texture::plain);
  const Vec ear = away(skull, head * 17 / 10, look - 1250 - b.pose.between(0, 300));
  b.polygon({away(skull, head, look - 700), ear, away(skull, head, look - 1800)}, b.coat.dark,
            b.coat.accent);
  const Vec eye = away(skull, head * 6 / 10, look - 600);
  b.eye(eye, head * 3 / 10);
  const auto [front_knee, front_paw] = draw_leg(chest + Vec{20, 60}, true);
  const auto [hind_knee, hind_paw] = draw_leg(hip + Vec{-20, 60}, true);
  for (const Vec point : {nose, eye, ear, neck, chest + Vec{0, 30}, Vec{0, -thick},
                          hip + Vec{-thick, 0}, tail, front_paw, hind_paw, front_knee, hind_knee}) {
    b.keypoint(point);
  }
}

// Beak tip, eye, crown, breast, back, tail tip, wing tip, wing joint, foot, belly.
inline void build_bird(Builder& b) {
  const std::int64_t body = b.size(260), fat = b.size(150), head = b.size(105);
  const std::int64_t tilt = b.pose.between(-350, 100);
  const Vec centre{0, 0}, breast = away(centre, body, tilt), rear = away(centre, -body, tilt);
  const Vec foot = away(centre + Vec{0, fat}, b.size(190), 900 + b.pose.between(-200, 200));
  for (const std::int64_t shift : {-30, 40}) {
    b.capsule(centre + Vec{shift, fat / 2}, foot + Vec{shift, 0}, 18, 14, {216, 140, 40},
              {120, 80, 20});
    b.capsule(foot + Vec{shift, 0}, foot + Vec{shift + 60, 10}, 16, 10, {216, 140, 40},
              {120, 80, 20});
  }
  const Vec tail = away(rear, b.size(280, 25), tilt + 1800 + b.pose.between(-200, 200));
  b.polygon({rear + Vec{0, -60}, tail + Vec{0, -50}, tail + Vec{20, 60}, rear + Vec{0, 60}},
            b.coat.dark, b.coat.accent, Texture::stripes);
  b.ellipse(centre, body + 60, fat, tilt, b.coat.body, b.coat.second, b.coat.texture);
  const Vec skull = away(breast, b.size(130), tilt - 800 + b.pose.between(-150, 150));
  b.capsule(breast, skull, fat * 6 / 10, head, b.coat.body, b.coat.dark);
  b.ellipse(skull, head, head, 0, b.coat.second, b.coat.body);
  const std::int64_t look = b.pose.between(-200, 250);
  const Vec beak = away(skull, head + b.size(130, 35), look);
  b.polygon({away(skull, head, look - 450), beak, away(skull, head, look + 450)}, {232, 160, 40},
            {200, 110, 30});
  const Vec eye = away(skull, head * 4 / 10, look - 500), crown = away(skull, head, -900);
  b.eye(eye, head * 3 / 10);
  const std::int64_t flap = tilt + 1800 + b.pose.between(-900, 300);
  const Vec joint = away(centre, body / 3, tilt), wing = away(joint, b.size(430), flap);
  b.capsule(joint, wing, fat * 6 / 10, fat / 5, b.coat.accent, b.coat.dark, Texture::stripes);
  for (const Vec point : {beak, eye, crown, breast, away(centre, fat, tilt - 900), tail, wing,
                          joint, foot, away(centre, fat - 10, tilt + 900)}) {
    b.keypoint(point);
  }
}

// Mouth, eye, gill, top fin tip, belly fin tip, tail joint, upper tail tip, lower tail tip,
// middle.
inline void build_fish(Builder& b) {
  const std::int64_t body = b.size(330), fat = b.size(170, 25), bend = b.pose.between(-250, 250);
  const Vec centre{0, 0}, mouth = away(centre, body, 0),
                          joint = away(centre, body * 9 / 10, 1800 + bend);
  const Vec upper = away(joint, b.size(230), 1800 + bend + 550 + b.pose.between(-150, 150));
  const Vec lower = away(joint, b.size(230), 1800 + bend - 550 + b.pose.between(-150, 150));
  b.polygon({joint + Vec{60, 0}, upper, away(joint, 60, 1800 + bend), lower}, b.coat.accent,
            b.coat.dark, Texture::stripes);
  const Vec top = Vec{-30, -fat - b.size(140, 30)} + Vec{b.pose.between(-60, 60), 0};
  b.polygon({{140, -fat * 6 / 10}, top, {-190, -fat * 5 / 10}}, b.coat.accent, b.coat.second,
            Texture::stripes);
  const Vec belly = Vec{-20, fat + b.size(110, 30)} + Vec{b.pose.between(-60, 60), 0};
  b.polygon({{100, fat * 6 / 10}, belly, {-120, fat * 5 / 10}}, b.coat.dark, b.coat.second);
  b.capsule(away(centre, body / 3, 1800 + bend), joint, fat * 7 / 10, fat / 4, b.coat.body,
            b.coat.second, b.coat.texture);
  b.ellipse(centre, body, fat, 0, b.coat.body, b.coat.second, b.coat.texture);
  b.ellipse({body * 6 / 10, 0}, body * 4 / 10, fat * 6 / 10, 0, b.coat.second, b.coat.body);
  const Vec eye{body * 65 / 100, -fat / 5}, gill{body * 25 / 100, fat / 10};
  b.eye(eye, fat / 5);
  b.ellipse(gill, fat / 12, fat * 4 / 10, 0, b.coat.dark, b.coat.dark, Texture::plain);
  b.capsule(mouth + Vec{-70, 25}, mouth + Vec{-5, 15}, 9, 9, {60, 20, 20}, {60, 20, 20});
  for (const Vec point : {mouth, eye, gill, top, belly, joint, upper, lower, centre})
    b.keypoint(point);
}

// Head top, face, neck, shoulder, elbow, hand, hip, knee, foot, back hand, back foot.
inline void build_person(Builder& b) {
  const std::int64_t torso = b.size(280), leg = b.size(210), arm = b.size(170), head = b.size(95);
  const std::int64_t wide = b.size(85), lean = -900 + b.pose.between(-150, 150);
  const Shade skin{232, 190, 160}, trousers = b.coat.accent;
  const Vec hip{0, 0}, neck = away(hip, torso, lean);
  const auto angle = [&](std::int64_t spread) { return 900 + b.pose.between(-spread, spread); };
  const auto limb = [&](Vec from, std::int64_t half, std::int64_t spread, std::int64_t spread_below,
                        std::int64_t radius, Shade upper, Shade lower) {
    const std::int64_t second = angle(spread_below), first = angle(spread);
    const Vec middle = away(from, half, first), end = away(middle, half, second);
    b.capsule(from, middle, radius, radius * 8 / 10, upper, b.coat.dark);
    b.capsule(middle, end, radius * 8 / 10, radius * 6 / 10, lower, b.coat.dark);
    return std::pair{middle, end};
  };
  const auto [back_elbow, back_hand] =
      limb(neck + Vec{0, 40}, arm, 800, 1000, wide / 2, b.coat.dark, skin);
  b.ellipse(back_hand, 38, 38, 0, skin, skin, Texture::plain);
  const auto [back_knee, back_foot] =
      limb(hip, leg, 400, 400, wide * 6 / 10, b.coat.dark, b.coat.dark);
  b.capsule(back_foot, back_foot + Vec{70, 8}, 34, 26, {50, 40, 40}, {30, 20, 20});
  const auto [knee, foot] = limb(hip, leg, 400, 400, wide * 7 / 10, trousers, trousers);
  b.capsule(foot, foot + Vec{80, 8}, 36, 28, {70, 50, 40}, {40, 30, 20});
  b.capsule(neck + Vec{0, 30}, hip, wide, wide * 9 / 10, b.coat.body, b.coat.second,
            b.coat.texture);
  const Vec skull = away(neck, head + 30, lean + b.pose.between(-200, 200));
  b.capsule(neck, skull, 40, 40, skin, {190, 140, 110});
  b.ellipse(skull, head * 85 / 100, head, 0, skin, {200, 150, 120});
  b.ellipse(skull + Vec{-head / 4, -head / 2}, head * 8 / 10, head * 6 / 10, 0, b.coat.dark,
            b.coat.second);
  const Vec face = skull + Vec{head / 2, 0};
  b.ellipse(face, 14, 14, 0, {20, 20, 20}, {20, 20, 20}, Texture::plain);
  const Vec shoulder = neck + Vec{0, 50};
  const auto [elbow, hand] = limb(shoulder, arm, 900, 1100, wide / 2, b.coat.second, skin);
  b.ellipse(hand, 40, 40, 0, skin, skin, Texture::plain);
  for (const Vec point : {skull + Vec{0, -head}, face, neck, shoulder, elbow, hand, hip, knee, foot,
                          back_hand, back_foot}) {
    b.keypoint(point);
  }
}

}  // namespace drawn_set
