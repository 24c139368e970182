// SPDX-License-Identifier: Apache-2.0
#pragma once

// The other things of the drawn set, seen from the side. What stands above each of them names its
// keypoints, which mean the same on every instance.

#include <cstdint>

#include "builder.hpp"

namespace drawn_set {

// Front wheel, rear wheel, headlight, tail light, front bumper, rear bumper, roof front, roof
// rear, windscreen foot, door handle.
inline void build_car(Builder& b) {
  const std::int64_t half = b.size(430, 12), low = b.size(105), high = b.size(150, 25);
  const std::int64_t wheel = b.size(92), front = b.size(250, 10), bonnet = b.size(180, 35);
  const std::int64_t squat = b.pose.between(-12, 12);
  const Vec front_wheel{front, low + squat}, rear_wheel{-b.size(270, 10), low - squat};
  const Vec windscreen{half - bonnet, -low},
      roof_front{windscreen.x - b.size(130, 25), -low - high};
  const Vec roof_rear{-half + b.size(200, 40), -low - high}, rear_top{-half + b.size(60, 60), -low};
  b.polygon(
      {{half, -low * 4 / 10}, {half, low}, {-half, low}, {-half, -low}, windscreen + Vec{0, 0}},
      b.coat.body, b.coat.second,
      b.coat.texture == Texture::spots ? Texture::shaded : b.coat.texture);
  b.polygon({windscreen, roof_front, roof_rear, rear_top}, b.coat.second, b.coat.body);
  const auto inset = [&](Vec p, std::int64_t dx) { return Vec{p.x + dx, p.y * 92 / 100}; };
  const Vec middle{(roof_front.x + roof_rear.x) / 2, -low - high * 9 / 10};
  b.polygon(
      {inset(windscreen, -45), inset(roof_front, -15), middle + Vec{18, 20}, {middle.x + 18, -low}},
      {176, 214, 232}, {120, 170, 200});
  b.polygon(
      {{middle.x - 18, -low}, middle + Vec{-18, 20}, inset(roof_rear, 15), inset(rear_top, 45)},
      {176, 214, 232}, {120, 170, 200});
  b.capsule({-half, low - 20}, {half, low - 20}, 26, 26, b.coat.dark, b.coat.dark);
  const Vec headlight{half - 40, -low / 8}, tail_light{-half + 30, -low / 2};
  b.ellipse(headlight, 42, 30, 0, {255, 246, 190}, {250, 220, 120});
  b.ellipse(tail_light, 24, 36, 0, {214, 30, 30}, {160, 10, 10});
  const Vec handle{middle.x - 60, -low / 3};
  b.capsule(handle + Vec{-30, 0}, handle + Vec{30, 0}, 10, 10, {230, 230, 230}, {120, 120, 120});
  b.wheel(front_wheel, wheel);
  b.wheel(rear_wheel, wheel);
  for (const Vec point : {front_wheel, rear_wheel, headlight, tail_light, Vec{half, low - 20},
                          Vec{-half, low - 20}, roof_front, roof_rear, windscreen, handle}) {
    b.keypoint(point);
  }
}

// Top of the rest, seat rear, seat front, front foot, rear foot, end of the arm, middle of the
// rest.
inline void build_chair(Builder& b) {
  const std::int64_t seat = b.size(190, 20), leg = b.size(270, 20), rest = b.size(340, 20);
  const std::int64_t thin = b.size(28, 30), tilt = b.size(100, 90) + b.pose.between(-60, 60);
  const Vec rear{-seat, 0}, front{seat, 0}, top = away(rear, rest, -900 - tilt);
  const Vec front_foot = away(front, leg, 900 - b.size(60, 90)),
            rear_foot = away(rear, leg, 900 + b.size(90, 90));
  b.capsule(rear + Vec{70, 0}, rear_foot + Vec{90, -20}, thin, thin, b.coat.dark, b.coat.dark);
  b.capsule(front + Vec{-60, 0}, front_foot + Vec{-80, -20}, thin, thin, b.coat.dark, b.coat.dark);
  b.capsule(rear, rear_foot, thin, thin * 8 / 10, b.coat.second, b.coat.dark);
  b.capsule(front, front_foot, thin, thin * 8 / 10, b.coat.second, b.coat.dark);
  b.capsule(rear, top, thin * 17 / 10, thin * 14 / 10, b.coat.body, b.coat.accent, b.coat.texture);
  b.ellipse(top, thin * 2, thin * 2, 0, b.coat.accent, b.coat.dark);
  b.capsule(rear, front, thin * 16 / 10, thin * 16 / 10, b.coat.accent, b.coat.body);
  const Vec arm_rear = away(rear, rest * 45 / 100, -900 - tilt),
            arm = arm_rear + Vec{b.size(290, 12), 0};
  b.capsule(arm_rear, arm, thin, thin, b.coat.second, b.coat.body);
  b.capsule(arm + Vec{-30, 0}, {arm.x - 30, 0}, thin * 7 / 10, thin * 7 / 10, b.coat.second,
            b.coat.dark);
  for (const Vec point : {top, rear, front, front_foot, rear_foot, arm,
                          Vec{(rear.x + top.x) / 2, (rear.y + top.y) / 2}}) {
    b.keypoint(point);
  }
}

// Spout tip, spout root, lid knob, handle top, handle bottom, handle middle, base left, base
// right, belly.
inline void build_teapot(Builder& b) {
  const std::int64_t wide = b.size(240), tall = b.size(190, 20), spout = b.size(230, 25);
  const std::int64_t lift = b.pose.between(0, 90);
  const Vec root{wide * 8 / 10, tall / 5},
      bend = away(root, spout / 2, -150 + b.pose.between(-150, 150));
  const Vec tip = away(bend, spout * 6 / 10, -750 + b.pose.between(-200, 200));
  b.capsule(root, bend, 58, 40, b.coat.second, b.coat.dark);
  b.capsule(bend, tip, 40, 26, b.coat.second, b.coat.dark);
  b.ellipse(tip, 34, 20, -450, {40, 34, 30}, {40, 34, 30}, Texture::plain);
  const Vec handle_top{-wide * 8 / 10, -tall * 4 / 10},
      handle_bottom{-wide * 8 / 10, tall * 5 / 10};
  const Vec handle{-wide - b.size(150, 25), b.pose.between(-40, 40)};
  b.capsule(handle_top, handle + Vec{20, -80}, 30, 30, b.coat.accent, b.coat.dark);
  b.capsule(handle + Vec{20, -80}, handle + Vec{20, 80}, 30, 30, b.coat.accent, b.coat.dark);
  b.capsule(handle + Vec{20, 80}, handle_bottom, 30, 30, b.coat.accent, b.coat.dark);
  const Vec left{-wide * 6 / 10, tall}, right{wide * 6 / 10, tall};
  b.capsule(left, right, 34, 34, b.coat.dark, b.coat.dark);
  b.ellipse({0, 0}, wide, tall, 0, b.coat.body, b.coat.second, b.coat.texture);
  b.ellipse({0, -tall + 30 - lift}, wide * 6 / 10, 50, 0, b.coat.accent, b.coat.body);
  const Vec knob{0, -tall - 40 - lift};
  b.ellipse(knob, 40, 40, 0, b.coat.second, b.coat.dark);
  for (const Vec point :
       {tip, root, knob, handle_top, handle_bottom, handle, left, right, Vec{0, tall / 4}}) {
    b.keypoint(point);
  }
}

// Nose, cockpit, wing tip, wing root, engine, tail fin top, tail end, tailplane tip, front wheel,
// rear wheel.
inline void build_aeroplane(Builder& b) {
  const std::int64_t half = b.size(440), fat = b.size(85, 20), sweep = b.pose.between(-150, 250);
  const Vec nose{half, 0}, tail{-half, -fat / 2};
  const Vec far_tip = away({60, -fat / 2}, b.size(240), -1250 - sweep);
  b.polygon({{130, -fat / 2}, far_tip + Vec{45, 0}, far_tip + Vec{-45, 0}, {-60, -fat / 2}},
            b.coat.dark, b.coat.body);
  const Vec fin = Vec{-half - b.size(30, 90), -fat - b.size(200, 20)};
  b.polygon({{-half + 150, -fat / 2}, fin + Vec{70, 0}, fin, {-half + 10, -fat / 2}}, b.coat.accent,
            b.coat.second, Texture::stripes);
  const Vec front_wheel{half * 6 / 10, fat + b.size(75)}, rear_wheel{-40, fat + b.size(85)};
  b.capsule({front_wheel.x, 0}, front_wheel, 12, 12, {90, 90, 96}, {60, 60, 66});
  b.capsule({rear_wheel.x, 0}, rear_wheel, 12, 12, {90, 90, 96}, {60, 60, 66});
  b.wheel(front_wheel, 36);
  b.wheel(rear_wheel, 42);
  b.capsule(tail, {0, 0}, fat / 3, fat, b.coat.body, b.coat.second, b.coat.texture);
  b.capsule({0, 0}, {half - fat, 0}, fat, fat, b.coat.body, b.coat.second, b.coat.texture);
  b.ellipse({half - fat, 0}, fat, fat * 7 / 10, 0, b.coat.second, b.coat.dark);
  const Vec cockpit{half - fat * 3 / 2, -fat * 6 / 10};
  b.ellipse(cockpit, 66, 34, 100, {150, 206, 236}, {90, 140, 190});
  for (std::int64_t x = -200; x <= half - 220; x += 90) {
    b.ellipse({x, -fat / 4}, 18, 22, 0, {60, 80, 110}, {60, 80, 110}, Texture::plain);
  }
  const Vec plane = away({-half + 90, -fat / 3}, b.size(150), 1400 + sweep);
  b.polygon({{-half + 160, -fat / 4}, plane + Vec{40, 0}, plane, {-half + 50, -fat / 4}},
            b.coat.accent, b.coat.dark);
  const Vec root{40, fat / 2}, wing = away(root, b.size(340), 1200 + sweep);
  const Vec engine = Vec{(root.x + wing.x) / 2 + 60, (root.y + wing.y) / 2 + 20};
  b.polygon({root + Vec{100, 0}, wing + Vec{55, 0}, wing + Vec{-55, 0}, root + Vec{-100, 0}},
            b.coat.second, b.coat.accent, Texture::stripes);
  b.capsule(engine + Vec{-40, 0}, engine + Vec{50, 0}, 42, 48, {120, 124, 130}, {60, 62, 66});
  for (const Vec point :
       {nose, cockpit, wing, root, engine, fin, tail, plane, front_wheel, rear_wheel}) {
    b.keypoint(point);
  }
}

}  // namespace drawn_set
